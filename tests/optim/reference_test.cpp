// The optimizer against the page (optim/reference/lookahead.h), bit for bit: random nests of Lookaheads in all state
// modes round every leaf that is a formula for one scalar, alone and in groups.
#include <tandem/optim/reference/lookahead.h>
#include <tandem/tandem.h>

#include "support.h"

using namespace support;

namespace {

using reference::Stepping;

struct Level {
  int k;
  double alpha;
  InnerState state;
};

/// One to three levels; cycles that divide each other and that do not; alpha 1 and 0 now and then.
std::vector<Level> random_nest(Generator& generator) {
  const auto pick = [&](std::uint64_t n) { return static_cast<int>(generator.bits() % n); };
  std::vector<Level> nest(static_cast<std::size_t>(1 + pick(3)));
  for (Level& level : nest) {
    const double alphas[] = {0, 0.3, 0.5, 0.8, 1};
    level = {1 + pick(6), alphas[pick(5)], static_cast<InnerState>(pick(3))};
  }
  return nest;
}

template <class T>
std::unique_ptr<Stepping<T>> nest_of(std::unique_ptr<Stepping<T>> inner, const std::vector<Level>& levels,
                                     const std::vector<T>& start) {
  for (const Level& level : levels) {
    inner = std::make_unique<reference::Lookahead<T>>(std::move(inner), level.k, level.alpha, level.state, start);
  }
  return inner;
}

Rule rule_of(Rule rule, const std::vector<Level>& levels) {
  for (const Level& l : levels) rule = lookahead(rule, {.k = l.k, .alpha = l.alpha, .state = l.state});
  return rule;
}

/// 40 steps of a nest by the optimizer and by the page.
template <class T, template <class> class Formula>
void compare(const typename Formula<double>::Options& options, const std::vector<Level>& levels, std::uint64_t seed) {
  const DType dtype = std::is_same_v<T, float> ? DType::f32 : DType::f64;
  const Rule rule = rule_of(leaf<Formula>(options), levels);
  CAPTURE(rule.describe());
  const Shape shape = {37, 1};  // a matrix: weight decay as in the formula
  Tensor w = parameter(shape, seed, dtype);
  std::vector<T> plain = w.value().to_vector<T>();
  const auto page = nest_of<T>(std::make_unique<reference::Leaf<Formula<T>, T>>(options, plain.size()), levels, plain);
  Optimizer optimizer({{"w", w}}, rule);
  for (std::int64_t step = 0; step < 40; ++step) {
    const Array g = gradient(w, seed + 1, step, 0, 3);
    optimizer.zero_grad();
    w.accumulate_grad(g);
    optimizer.step();
    page->step(plain, g.to_vector<T>());
    REQUIRE_MESSAGE(identical(w.value(), Array::from(plain, shape)), "step " << step);
  }
}

template <template <class> class Formula>
void compare_all(const typename Formula<double>::Options& options = {}) {
  Generator generator(Generator(2026).split(std::hash<std::string>{}(Formula<double>::kName) % 1000));
  for (std::uint64_t i = 0; i < 12; ++i) {
    const std::vector<Level> levels = random_nest(generator);
    compare<float, Formula>(options, levels, i);
    compare<double, Formula>(options, levels, i);
  }
}

}  // namespace

TEST_CASE("every nest of every leaf does what the page does, bit for bit") {
  compare_all<Adabelief>();
  compare_all<Adadelta>();
  compare_all<Adagrad>();
  compare_all<Adam>({.lr = 0.05});
  compare_all<Adamw>({.lr = 0.05, .weight_decay = 0.1});
  compare_all<Adamax>();
  compare_all<Adan>({.lr = 0.02});
  compare_all<Ademamix>({.lr = 0.02});
  compare_all<Adopt>({.lr = 0.02});
  compare_all<Amsgrad>();
  compare_all<Lion>({.lr = 0.01});
  compare_all<Madgrad>({.lr = 0.02});
  compare_all<Momentum>({.lr = 0.1, .momentum = 0.9, .nesterov = true});
  compare_all<Nadam>();
  compare_all<Qhadam>();
  compare_all<Qhm>();
  compare_all<Radam>();
  compare_all<Rmsprop>({.lr = 0.01, .momentum = 0.9});
  compare_all<Rprop>();
  compare_all<Signum>({.lr = 0.01});
  compare_all<SignSgd>({.lr = 0.01});
  compare_all<Yogi>();
  compare_all<Sgd>({.lr = 0.1 * schedule::cosine({.total = 50}), .weight_decay = 0.01});
}

TEST_CASE("groups with nests of their own do what each would do alone on the page") {
  Generator generator(7);
  for (std::uint64_t trial = 0; trial < 10; ++trial) {
    const std::vector<Level> first = random_nest(generator), second = random_nest(generator);
    Tensor a = parameter({9000, 1}, trial), b = parameter({50, 2}, trial + 100);
    std::vector<float> x = a.value().to_vector<float>(), y = b.value().to_vector<float>();
    const auto page_a = nest_of<float>(
        std::make_unique<reference::Leaf<Adam<float>, float>>(AdamOptions{.lr = 0.1}, x.size()), first, x);
    const auto page_b = nest_of<float>(
        std::make_unique<reference::Leaf<Momentum<float>, float>>(MomentumOptions{.lr = 0.1}, y.size()), second, y);
    Optimizer optimizer({Group{{{"a", a}}, rule_of(adam({.lr = 0.1}), first)},
                         Group{{{"b", b}}, rule_of(momentum({.lr = 0.1}), second)}});
    for (std::int64_t step = 0; step < 30; ++step) {
      const Array g = gradient(a, trial, step, 0), h = gradient(b, trial, step, 1);
      optimizer.zero_grad();
      a.accumulate_grad(g);
      b.accumulate_grad(h);
      optimizer.step();
      page_a->step(x, g.to_vector<float>());
      page_b->step(y, h.to_vector<float>());
      REQUIRE(identical(a.value(), Array::from(x, a.shape())));
      REQUIRE(identical(b.value(), Array::from(y, b.shape())));
    }
  }
}
