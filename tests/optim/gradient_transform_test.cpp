// Levels that change gradients on their way in, by hand: centralize, agc, noise, apply_if_finite, accumulate.
#include <cmath>
#include <limits>

#include <tandem/optim/engine/unit_row.h>

#include "support.h"

using namespace support;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Tensor zeros(const Shape& shape) { return Tensor(Array::zeros(shape, DType::f64), true); }

void step(Optimizer& optimizer, Tensor w, const std::vector<double>& gradient) {
  optimizer.zero_grad();
  w.accumulate_grad(Array::from(gradient, w.shape()));
  optimizer.step();
}

void near(const Tensor& w, const std::vector<double>& expected) {
  const std::vector<double> x = w.value().to_vector<double>();
  REQUIRE(x.size() == expected.size());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == doctest::Approx(expected[i]).epsilon(1e-14));
}

double counter(const Optimizer& optimizer, const std::string& last) {
  for (const NamedArray& entry : optimizer.state_tree()) {
    if (entry.name.size() >= last.size() && entry.name.substr(entry.name.size() - last.size()) == last) {
      return entry.array.item();
    }
  }
  FAIL("no " << last);
  return 0;
}

}  // namespace

TEST_CASE("rows are the weights of one output unit, whatever the order of the dimensions in memory") {
  Frame frame;
  frame.size = 16;
  frame.parameters = {{"matrix", {2, 3}, {3, 1}}, {"turned", {2, 3}, {1, 2}}, {"vector", {3}, {1}}};
  frame.tensors = {{0, 6}, {6, 12}, {12, 15}};
  std::vector<std::vector<std::int64_t>> found;
  for (const UnitRow& row : rows_of(frame, 0)) {
    found.emplace_back();
    row.for_parts([&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) found.back().push_back(i);
    });
    CHECK(row.size() == static_cast<std::int64_t>(found.back().size()));
  }
  CHECK(found == std::vector<std::vector<std::int64_t>>{{0, 1, 2}, {3, 4, 5}, {6, 8, 10}, {7, 9, 11}, {12, 13, 14}});
  CHECK(rows_of(frame, 2).size() == 4);
}

TEST_CASE("centralize takes the mean of a row away, and leaves vectors") {
  Tensor matrix = zeros({2, 3}), vector = zeros({2});
  Optimizer optimizer({{"matrix", matrix}, {"vector", vector}}, centralize(sgd({.lr = 1})));
  matrix.accumulate_grad(Array::from({1, 2, 6, 0, 3, 0}, {2, 3}, DType::f64));
  vector.accumulate_grad(Array::from({1, 3}, {2}, DType::f64));
  optimizer.step();
  CHECK(matrix.value().to_vector<double>() == std::vector<double>{2, 1, -3, 1, -2, 1});
  CHECK(vector.value().to_vector<double>() == std::vector<double>{-1, -3});
}

TEST_CASE("agc clips by the ratio of norms of each unit") {
  Tensor matrix(Array::from({3, 4, 0, 0}, {2, 2}, DType::f64), true),
      vector(Array::from({3, 4}, {2}, DType::f64), true);
  Optimizer optimizer({{"matrix", matrix}, {"vector", vector}}, agc(sgd({.lr = 1}), {.clip = 0.5, .eps = 0.1}));
  matrix.accumulate_grad(Array::from({6, 8, 0, 2}, {2, 2}, DType::f64));
  vector.accumulate_grad(Array::from({0.25, 0.5}, {2}, DType::f64));
  optimizer.step();
  near(matrix, {1.5, 2, 0, -0.05});  // |w| = 5, |g| = 10, limit 2.5; |w| = 0 counts 0.1, limit 0.05 of 2
  near(vector, {2.75, 3.5});
}

TEST_CASE("noise has its variance, falls, and depends on seed, step, name and element alone") {
  const auto drawn = [](const NoiseOptions& options, int steps, const std::string& name = "w") {
    Tensor w = zeros({20000});
    Optimizer optimizer({{name, w}}, noise(sgd({.lr = 1}), options));
    std::vector<double> before(20000, 0.0);
    for (int t = 0; t < steps; ++t) {
      before = w.value().to_vector<double>();
      step(optimizer, w, std::vector<double>(20000, 0.0));
    }
    std::vector<double> change = w.value().to_vector<double>();
    for (std::size_t i = 0; i < change.size(); ++i) change[i] -= before[i];
    return change;
  };
  const auto variance = [](const std::vector<double>& x) {
    double square = 0;
    for (const double v : x) square += v * v;
    return square / static_cast<double>(x.size());
  };
  const std::vector<double> first = drawn({.eta = 4, .gamma = 1}, 1);
  CHECK(variance(first) == doctest::Approx(4).epsilon(0.05));
  CHECK(variance(drawn({.eta = 4, .gamma = 1}, 4)) == doctest::Approx(1).epsilon(0.05));  // 4 / (1 + 3)
  double sum = 0;
  for (const double x : first) sum += x;
  CHECK(std::abs(sum / 20000) < 0.06);  // four deviations of a mean
  CHECK(drawn({.eta = 4, .gamma = 1}, 1) == first);
  CHECK(drawn({.eta = 4, .gamma = 1, .seed = 1}, 1) != first);
  CHECK(drawn({.eta = 4, .gamma = 1}, 1, "v") != first);
  CHECK(variance(drawn({.eta = 0}, 1)) == 0);
}

TEST_CASE("apply_if_finite leaves a step out as if it had not been") {
  for (const char* inner : {"lookahead(adam(lr=0.1), k=2, alpha=0.5)", "ema(lamb(lr=0.1), decay=0.5)"}) {
    const Rule rule = parse_rule(inner);
    Tensor w(Array::from({1, 2}, {2}, DType::f64), true), v(Array::from({1, 2}, {2}, DType::f64), true);
    Optimizer with({{"w", w}}, apply_if_finite(rule, {.max_consecutive = 2})), without({{"w", v}}, rule);
    with.trace("w", {0});
    const double infinity = std::numeric_limits<double>::infinity();
    const std::vector<std::vector<double>> gradients = {{1, 2},         {kNan, 1}, {3, -1},   {0, infinity},
                                                        {1, -infinity}, {2, 2},    {kNan, 1}, {1, 0}};
    for (const std::vector<double>& g : gradients) {
      const bool is_finite = std::isfinite(g[0]) && std::isfinite(g[1]);
      step(with, w, g);
      if (is_finite) step(without, v, g);
      CHECK(identical(w.value(), v.value()));
      CHECK(with.explain("w", {0}).is_exact);
      const EvaluationWeights one = with.evaluation_weights(), other = without.evaluation_weights();
      CHECK(identical(w.value(), v.value()));
    }
    CHECK(counter(with, "rejected") == 0);
    CHECK(counter(with, "rejected_in_all") == 4);
    step(with, w, {kNan, 1});
    step(with, w, {kNan, 1});
    CHECK(identical(w.value(), v.value()));
    CHECK(counter(with, "rejected") == 2);
    step(with, w, {kNan, 1});  // the third in a row is taken
    CHECK(std::isnan(w.value().at({0})));
  }
}

TEST_CASE("one bad gradient holds all groups") {
  Tensor a = zeros({1}), b = zeros({1});
  const Rule rule = apply_if_finite(sgd({.lr = 1}));
  Optimizer optimizer({Group{{{"a", a}}, rule}, Group{{{"b", b}}, rule}});
  a.accumulate_grad(Array::full({1}, 1, DType::f64));
  b.accumulate_grad(Array::full({1}, kNan, DType::f64));
  optimizer.step();
  CHECK(a.item() == 0);
  CHECK(b.item() == 0);
}

TEST_CASE("accumulate steps on the mean of n gradients, and the inner rule counts its own steps") {
  for (const char* inner : {"sgd(lr=1)", "adam(lr=0.1)", "lookahead(lamb(lr=0.1), k=2, alpha=0.5)",
                            "clip_norm(momentum(lr=0.1, momentum=0.9), max=1)"}) {
    const Rule rule = parse_rule(inner);
    Tensor w(Array::from({1, 2}, {2}, DType::f64), true), v(Array::from({1, 2}, {2}, DType::f64), true);
    Optimizer with({{"w", w}}, accumulate(rule, {.n = 2})), without({{"w", v}}, rule);
    for (int t = 0; t < 6; ++t) {
      const double g = t % 3 - 0.5, h = 2 * t;
      step(with, w, {g, 1});
      CHECK(identical(w.value(), v.value()));
      step(with, w, {h, 3});
      step(without, v, {(g + h) / 2, 2});
      CHECK(identical(w.value(), v.value()));
    }
  }
  Tensor w = zeros({1});
  Optimizer one({{"w", w}}, accumulate(sgd({.lr = 1}), {.n = 1}));
  step(one, w, {3});
  CHECK(w.item() == -3);
}

TEST_CASE("a gradient that arrives in some of the n steps counts zeros for the others") {
  Tensor a = zeros({1}), b = zeros({1}), c = zeros({1});
  Optimizer optimizer({{"a", a}, {"b", b}, {"c", c}}, accumulate(adam({.lr = 1, .eps = 1}), {.n = 2}));
  const auto give = [](Tensor t, double g) { t.accumulate_grad(Array::full({1}, g, DType::f64)); };
  give(a, 2), give(b, 2);
  optimizer.step();
  optimizer.zero_grad();
  give(a, 4);
  const auto version = b.value().version();
  optimizer.step();
  CHECK(b.value().version() != version);  // whoever keeps copies of b must know
  CHECK(a.item() == doctest::Approx(-3.0 / 4).epsilon(1e-14));
  CHECK(b.item() == doctest::Approx(-1.0 / 2).epsilon(1e-14));
  CHECK(c.item() == 0);
  optimizer.zero_grad();
  give(c, 1);
  optimizer.step();
  optimizer.zero_grad();
  optimizer.step();
  CHECK(c.item() == doctest::Approx(-0.5 / 1.5).epsilon(1e-14));  // its own first step
  CHECK(b.item() == doctest::Approx(-1.0 / 2).epsilon(1e-14));    // no gradient in either
}

TEST_CASE("a watched step in which nothing steps says so") {
  Tensor w = zeros({1});
  Optimizer optimizer({{"w", w}}, accumulate(lookahead(sgd({.lr = 1}), {.k = 1, .alpha = 0.5}), {.n = 2}));
  optimizer.watch_steps(true);
  for (int t = 1; t <= 4; ++t) {
    step(optimizer, w, {2});
    CHECK(optimizer.last_step().levels.at(0).synced == (t % 2 == 0));
    CHECK(optimizer.last_step().update_norm == (t % 2 == 0 ? 2 : 0));
    CHECK(optimizer.last_step().gradient_norm == 2);
  }
}
