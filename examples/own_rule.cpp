// own_rule: a rule of one's own in a few lines of formula. It is trained, saved in the middle of a cycle, resumed and
// wrapped in Lookahead without more code, read from text, and checked. The parts of a leaf: optim/leaf.h.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <tandem/tandem.h>

using namespace tandem;

// The rule: momentum whose step is bounded, between momentum (large bound) and its sign (small bound).
//   v <- momentum v + (1 - momentum) g
//   w <- w - lr v / (|v| / bound + 1)
struct BoundedOptions {
  Schedule lr = 0.1, momentum = 0.9, bound = 1;
  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment);
    f("bound", bound, {.is_low_open = true});
  }
};

template <class T>
struct Bounded {
  using Options = BoundedOptions;
  static constexpr const char* kName = "bounded";
  static constexpr std::array kState = {State{"momentum_buffer", Role::first_moment}};
  T lr, mu, rest, bound;
  Bounded(const Options& h, Step t) {
    lr = static_cast<T>(h.lr(t)), bound = static_cast<T>(h.bound(t));
    mu = static_cast<T>(h.momentum(t)), rest = static_cast<T>(1 - h.momentum(t));
  }
  void operator()(T& w, T g, T& v) const {
    v = mu * v + rest * g;
    using std::abs;  // and that of numbers that explain themselves
    w -= lr * v / (abs(v) / bound + 1);
  }
};

Rule bounded(const BoundedOptions& options = {}) { return leaf<Bounded>(options); }

/// A linear model that learns y = x c from 64 noisy examples.
struct Problem {
  Array x = Array::empty({64, 8}), y = Array::empty({64, 1});
  Tensor weight = Tensor(Array::zeros({8, 1}), true);

  Problem() {
    Generator random(1);
    random.fill_normal(x);
    random.fill_normal(y, 0, 0.1);
    for (std::int64_t i = 0; i < 64; ++i) {
      for (std::int64_t j = 0; j < 8; ++j) y.set({i, 0}, y.at({i, 0}) + x.at({i, j}) * static_cast<double>(j - 3));
    }
  }
  Tensor loss() const {
    const Tensor error = matmul(x, weight) - Tensor(y);
    return mean(error * error);
  }
  void train(Optimizer& optimizer, int steps) const {
    for (int i = 0; i < steps; ++i) {
      optimizer.zero_grad();
      loss().backward();
      optimizer.step();
    }
  }
};

/// A folder of this process alone, which goes when the program ends.
struct TemporaryFolder {
  std::string path = (std::filesystem::temp_directory_path() / "tandem_own_rule.XXXXXX").string();
  TemporaryFolder() {
    if (::mkdtemp(path.data()) == nullptr) fail(path, "the folder cannot be made");
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

/// Trains 200 steps at once, and 100 + 100 through a file; true when both end at the same bits.
bool resumes(const Rule& rule) {
  Problem whole, first, second;
  Optimizer at_once(NamedTensors{{"weight", whole.weight}}, rule);
  std::printf("%s\n  loss %.4f", at_once.describe().c_str(), whole.loss().item());
  whole.train(at_once, 200);
  {
    const auto slow = at_once.evaluation_weights();
    std::printf(" -> %.4f in 200 steps\n", whole.loss().item());
  }

  const TemporaryFolder folder;
  const auto file = std::filesystem::path(folder.path) / "state.safetensors";
  {
    Optimizer optimizer(NamedTensors{{"weight", first.weight}}, rule);
    first.train(optimizer, 101);  // with Lookahead: in the middle of a cycle
    NamedArrays arrays = optimizer.state_tree();
    arrays.push_back({"weight", first.weight.value()});
    save_safetensors(file, arrays);
  }
  NamedArrays arrays = load_safetensors(file).arrays;
  second.weight.mutable_value().copy_from(arrays.back().array);
  arrays.pop_back();
  Optimizer optimizer(NamedTensors{{"weight", second.weight}}, rule);
  optimizer.load_state_tree(arrays);
  second.train(optimizer, 99);
  const bool is_same = identical(second.weight.value(), whole.weight.value());
  std::printf("  saved after 101 steps, resumed: %s\n", is_same ? "the same bits" : "DIFFERENT");
  return is_same;
}

int main() {
  register_leaf<Bounded>();
  bool is_good = resumes(bounded({.lr = 0.3}));
  is_good = resumes(parse_rule("lookahead(bounded(lr=0.3 * cosine(total=200), bound=2), k=5, alpha=0.5)")) && is_good;

  const RuleReport report = check_rule(bounded({.lr = 0.3}), {.trajectory = [](std::int64_t steps) {
                                         double w = 1, v = 0;
                                         for (std::int64_t t = 0; t < steps; ++t)
                                           v = 0.9 * v + 0.1, w -= 0.3 * v / (v + 1);
                                         return w;
                                       }});
  std::printf("%s", report.to_string().c_str());
  return is_good && report.passed() ? 0 : 1;
}
