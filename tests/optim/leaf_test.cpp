// Leaves against their papers: hand values, and a plain loop over one scalar at a time, in f32 and f64.
#include <cmath>

#include "golden/golden_file.h"
#include "support.h"

using namespace support;

namespace {

/// The formulas once more, written without the library: state s and t updates of one weight.
template <class T>
struct Plain {
  T lr, mu, wd, b1, b2, c1, c2, eps;
  int kind;
  bool nesterov;
  void step(T& w, T g, T& m, T& v, int t) const {
    const auto lr_t = static_cast<T>(lr_double / (1 - std::pow(b1_double, t)));
    const auto root = static_cast<T>(1 / std::sqrt(1 - std::pow(b2_double, t)));
    if (kind == 3) w = w * static_cast<T>(1 - lr_double * wd_double);
    if (kind != 3) g = g + wd * w;
    if (kind == 0) w = w - lr * g;
    if (kind == 1) {
      m = mu * m + g;
      w = w - lr * (nesterov ? g + mu * m : m);
    }
    if (kind < 2) return;
    m = b1 * m + c1 * g;
    v = b2 * v + c2 * g * g;
    w = w - lr_t * m / (std::sqrt(v) * root + eps);
  }
  double lr_double, wd_double, b1_double, b2_double;
};

template <class T>
void compare(const Rule& rule, int kind, double lr, double wd, bool nesterov = false) {
  CAPTURE(rule.describe());
  const double b1 = 0.9, b2 = 0.999;
  const auto as = [](double x) { return static_cast<T>(x); };
  const Plain<T> plain{as(lr),   as(0.9), as(wd),   as(b1), as(b2), as(1 - b1), as(1 - b2),
                       as(1e-8), kind,    nesterov, lr,     wd,     b1,         b2};
  NamedTensors parameters = model(5, dtype_of<T>);
  std::vector<std::vector<T>> w;
  for (const NamedTensor& p : parameters) w.push_back(p.tensor.value().to_vector<T>());
  auto m = w, v = w;
  for (auto* state : {&m, &v}) {
    for (auto& row : *state) std::fill(row.begin(), row.end(), T(0));
  }
  Optimizer optimizer(parameters, rule);
  for (int t = 1; t <= 7; ++t) {
    optimizer.zero_grad();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Array g = gradient(parameters[i].tensor, 9, t, i);
      parameters[i].tensor.accumulate_grad(g);
      const std::vector<T> numbers = g.to_vector<T>();
      for (std::size_t j = 0; j < numbers.size(); ++j) plain.step(w[i][j], numbers[j], m[i][j], v[i][j], t);
    }
    optimizer.step();
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    CHECK(identical(parameters[i].tensor.value(), Array::from(w[i], parameters[i].tensor.shape())));
  }
}

}  // namespace

namespace own {

struct SignOptions {
  Schedule lr = 0.1;
  void fields(Fields& f) { f("lr", lr, kNotNegative, kAlways); }
};

/// A rule of a user: the sign of a running sum.
template <class T>
struct Sign {
  using Options = SignOptions;
  static constexpr const char* kName = "sign";
  static constexpr std::array kState = {State{"sum", Role::first_moment}};
  T lr;
  Sign(const Options& h, Step t) : lr(static_cast<T>(h.lr(t))) {}
  void operator()(T& w, T g, T& sum) const {
    sum += g;
    w -= sum > 0 ? lr : -lr;
  }
};

}  // namespace own

TEST_CASE("sgd, momentum, adam by hand") {
  const auto after = [](const Rule& rule, int steps) {
    Tensor w({1.0}, {1}, DType::f64);
    w.set_requires_grad(true);
    Optimizer optimizer({{"w", w}}, rule);
    for (int i = 0; i < steps; ++i) {
      optimizer.zero_grad();
      w.accumulate_grad(Array::from({2.0}, {1}, DType::f64));
      optimizer.step();
    }
    return w.item();
  };
  CHECK(after(sgd({.lr = 0.1}), 2) == doctest::Approx(0.6));
  CHECK(after(sgd({.lr = 0.1, .weight_decay = 0.5}), 1) == doctest::Approx(0.75));
  CHECK(after(momentum({.lr = 0.1, .momentum = 0.5}), 2) == doctest::Approx(1 - 0.2 - 0.3));
  CHECK(after(momentum({.lr = 0.1, .momentum = 0.5, .nesterov = true}), 1) == doctest::Approx(0.7));
  CHECK(after(adam({.lr = 0.1}), 3) == doctest::Approx(0.7));
  CHECK(after(adamw({.lr = 0.1, .weight_decay = 0.5}), 1) == doctest::Approx(0.95 - 0.1));
  CHECK(after(adam({.lr = 0}), 3) == 1);
}

TEST_CASE("lion, lars and lamb by hand") {
  const auto after = [](const Rule& rule, std::vector<double> weights, std::vector<double> g, int steps) {
    const Shape shape = {static_cast<std::int64_t>(weights.size())};
    Tensor w(Array::from(weights, shape), true), other(Array::full({3, 3}, 7, DType::f64), true);
    Optimizer optimizer({{"w", w}, {"other", other}}, rule);
    for (int i = 0; i < steps; ++i) {
      optimizer.zero_grad();
      w.accumulate_grad(Array::from(g, shape));
      other.accumulate_grad(Array::full({3, 3}, 100, DType::f64));
      optimizer.step();
    }
    return w.value().to_vector<double>();
  };
  const auto near = [](const std::vector<double>& x, const std::vector<double>& y) {
    CHECK(x.size() == y.size());
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == doctest::Approx(y[i]).epsilon(1e-14));
  };
  near(after(lion({.lr = 0.1}), {1, 1, 1}, {5, -0.1, 0}, 2), {0.8, 1.2, 1});
  near(after(lion({.lr = 0.1, .weight_decay = 1}), {1}, {5}, 1), {0.8});
  // |w| 5, |g| 10, whatever other tensors have: r = 0.1 * 5 / (10 + 0.2 * 5), v = r (g + 0.2 w).
  const double r = 0.1 * 5 / 11;
  near(after(lars({.lr = 1, .momentum = 0.5, .trust = 0.1, .weight_decay = 0.2}), {3, 4}, {6, 8}, 1),
       {3 - r * 6.6, 4 - r * 8.8});
  near(after(lars({.lr = 0.1, .momentum = 0.5}), {0, 0}, {6, 8}, 1), {-0.6, -0.8});
  // The first u of Adam is the sign: |w| 5, |u| sqrt 2.
  near(after(lamb({.lr = 0.1, .eps = 0, .weight_decay = 0}), {3, 4}, {6, -8}, 1),
       {3 - 0.5 / std::sqrt(2.0), 4 + 0.5 / std::sqrt(2.0)});
  near(after(lamb({.lr = 0.1, .eps = 0, .weight_decay = 0}), {0, 0}, {6, -8}, 1), {-0.1, 0.1});
}

TEST_CASE("decoupled weight decay is not seen by the update") {
  for (const char* name : {"sgd", "momentum", "rmsprop", "adagrad", "adadelta", "radam", "nadam", "amsgrad",
                           "adabelief", "adamax", "madgrad", "yogi", "qhm", "qhadam"}) {
    CAPTURE(name);
    const auto first = [&](const char* decay) {
      Tensor w(Array::full({2}, 4, DType::f64), true);
      Optimizer optimizer({{"w", w}}, parse_rule(std::string(name) + "(lr=0.5" + decay + ")"));
      w.accumulate_grad(Array::full({2}, 1, DType::f64));
      optimizer.step();
      return w.value().at({0});
    };
    CHECK(first(", weight_decay=0.1, decoupled") == doctest::Approx(first("") - 0.5 * 0.1 * 4).epsilon(1e-14));
  }
}

TEST_CASE("norms are of a tensor as a whole, however it lies in blocks") {
  const Array x = parameter({130, 257}, 4, DType::f64).value();
  for (const bool is_alone : {true, false}) {
    Tensor w(x.clone(), true), before(Array::full({77, 201}, 1, DType::f64), true);
    NamedTensors parameters = {{"w", w}};
    if (!is_alone) parameters.insert(parameters.begin(), {"before", before});
    Optimizer optimizer(parameters, lars({.lr = 1, .momentum = 0, .trust = 0.5}));
    w.accumulate_grad(x);  // |w| = |g|: w halves
    optimizer.step();
    CHECK(golden::relative_error(w.value(), (Tensor(x) * 0.5).value()) < 1e-14);
    CHECK(identical(before.value(), Array::full({77, 201}, 1, DType::f64)));
  }
}

TEST_CASE("every leaf equals its formula in a plain loop, bit for bit") {
  compare<float>(sgd({.lr = 0.1, .weight_decay = 0.01}), 0, 0.1, 0.01);
  compare<float>(momentum({.lr = 0.1, .weight_decay = 0.01}), 1, 0.1, 0.01);
  compare<float>(momentum({.lr = 0.1, .nesterov = true, .weight_decay = 0.01}), 1, 0.1, 0.01, true);
  compare<float>(adam({.lr = 0.01, .weight_decay = 0.01}), 2, 0.01, 0.01);
  compare<float>(adamw({.lr = 0.01, .weight_decay = 0.1}), 3, 0.01, 0.1);
  compare<double>(sgd({.lr = 0.1, .weight_decay = 0.01}), 0, 0.1, 0.01);
  compare<double>(momentum({.lr = 0.1, .nesterov = true, .weight_decay = 0.01}), 1, 0.1, 0.01, true);
  compare<double>(adam({.lr = 0.01, .weight_decay = 0.01}), 2, 0.01, 0.01);
  compare<double>(adamw({.lr = 0.01, .weight_decay = 0.1}), 3, 0.01, 0.1);
}

TEST_CASE("no_bias_decay leaves parameters of rank 1 or less alone") {
  for (const bool exempt : {false, true}) {
    for (const Rule& rule : {sgd({.lr = 0.1, .weight_decay = 1, .no_bias_decay = exempt}),
                             adamw({.lr = 0.1, .weight_decay = 1, .no_bias_decay = exempt}),
                             lookahead(momentum({.lr = 0.1, .weight_decay = 1, .no_bias_decay = exempt}))}) {
      NamedTensors parameters = {{"bias", Tensor(Array::full({3}, 1), true)},
                                 {"weight", Tensor(Array::full({2, 2}, 1), true)}};
      Optimizer optimizer(parameters, rule);
      for (const NamedTensor& p : parameters) Tensor(p.tensor).accumulate_grad(Array::zeros(p.tensor.shape()));
      optimizer.step();
      CHECK(parameters[0].tensor.value().at({0}) == doctest::Approx(exempt ? 1.0 : 0.9));
      CHECK(parameters[1].tensor.value().at({0, 0}) == doctest::Approx(0.9));
    }
  }
}

TEST_CASE("a schedule is read at the step, counted from 0") {
  Tensor w(Array::zeros({1}, DType::f64), true);
  Optimizer optimizer({{"w", w}}, with_schedule(lookahead(sgd({.lr = 1}), {.k = 100}), schedule::linear({.total = 4})));
  const double expected[] = {-1, -1.75, -2.25, -2.5, -2.5};
  for (const double value : expected) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, 1, DType::f64));
    optimizer.step();
    CHECK(w.item() == doctest::Approx(value));
  }
}

TEST_CASE("a user's leaf has state, text and wrappers without more code") {
  register_leaf<own::Sign>();
  const Rule rule = parse_rule("lookahead(sign(lr=0.5), k=2, alpha=0.5)");
  CHECK(rule.describe() == "lookahead(sign(lr=0.5), k=2, alpha=0.5)");
  Tensor w(Array::full({1}, 3), true);
  Optimizer optimizer({{"w", w}}, rule);
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, 1));
    optimizer.step();
  }
  CHECK(w.item() == 2.5);
  CHECK(entry(optimizer.state_tree(), "groups/0/inner/sum/w").item() == 2);
}

namespace own {
/// A sign with the name of another rule.
template <class T>
struct Taken : Sign<T> {
  using Sign<T>::Sign;
  static constexpr const char* kName = "adam";
};
}  // namespace own

TEST_CASE("a rule may be registered again, but not under the name of another") {
  register_leaf<own::Sign>();
  register_leaf<own::Sign>();
  CHECK_THROWS_WITH_AS(register_leaf<own::Taken>(),
                       "register_rule: another rule has this name: adam; take a kName of its own", Error);
  CHECK(parse_rule("adam(beta1=0.5)").describe().find("beta1=0.5") != std::string::npos);
}

TEST_CASE("clip_norm is one global norm, clip_value is elementwise, gradients stay") {
  NamedTensors parameters = model(4);
  double norm = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    for (const float g : gradient(parameters[i].tensor, 77, 0, i).to_vector<float>())
      norm += static_cast<double>(g) * g;
  }
  norm = std::sqrt(norm);
  NamedTensors before = model(4);
  Optimizer optimizer(parameters, clip_norm(sgd({.lr = 1}), 0.5));
  train(optimizer, parameters, 0, 1);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Array g = gradient(parameters[i].tensor, 77, 0, i);
    CHECK(identical(parameters[i].tensor.grad(), g));
    const auto scale = static_cast<float>(0.5 / norm);
    const auto w0 = before[i].tensor.value().to_vector<float>(), w1 = parameters[i].tensor.value().to_vector<float>();
    const auto gs = g.to_vector<float>();
    for (std::size_t j = 0; j < gs.size(); ++j) CHECK_MESSAGE(w1[j] == doctest::Approx(w0[j] - scale * gs[j]), j);
  }
  CHECK(same(trained(clip_norm(adam(), 1e9), 4), trained(adam(), 4)));
  CHECK(same(trained(clip_norm(lookahead(adam()), 0.1), 6), trained(lookahead(clip_norm(adam(), 0.1)), 6)));

  Tensor w(Array::zeros({3}), true);
  Optimizer by_value({{"w", w}}, clip_value(sgd({.lr = 1}), 0.5));
  w.accumulate_grad(Array::from({-2, 0.25, 7}, {3}));
  by_value.step();
  CHECK(identical(w.value(), Array::from({0.5, -0.25, -0.5}, {3})));
  CHECK(identical(w.grad(), Array::from({-2, 0.25, 7}, {3})));

  Tensor a(Array::zeros({2}), true);  // clip_value first, then the norm of what it left: (3, 4) has norm 5
  Optimizer both({{"a", a}}, clip_value(clip_norm(sgd({.lr = 1}), 2.5), 4));
  a.accumulate_grad(Array::from({3, 100}, {2}));
  both.step();
  CHECK(identical(a.value(), Array::from({-1.5, -2}, {2})));
}
