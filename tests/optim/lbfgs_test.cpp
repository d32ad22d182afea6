// lbfgs beside the recursion as the paper writes it, on plain vectors; sophia by hand and by its expectation.
#include <cmath>
#include <deque>
#include <numeric>

#include <tandem/core/kernels/elementwise/elementwise.h>

#include "support.h"

using namespace support;

namespace {

using Vector = std::vector<double>;

double dot(const Vector& x, const Vector& y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); }
Vector plus(Vector x, double factor, const Vector& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += factor * y[i];
  return x;
}

/// Rosenbrock's function of 2n numbers (the minimum is 0 at all ones), and its gradient.
double rosenbrock(const Vector& x, Vector& g) {
  double f = 0;
  g.assign(x.size(), 0);
  for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
    const double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
    f += a * a + 10 * b * b;
    g[i] = -2 * a - 40 * x[i] * b;
    g[i + 1] = 20 * b;
  }
  return f;
}

/// Liu & Nocedal's algorithm 2.1 with backtracking, as a book has it.
struct Book {
  std::size_t history;
  bool line_search;
  double lr;
  std::deque<Vector> s = {}, y = {};
  Vector x_before = {}, g_before = {};

  void step(Vector& x) {
    Vector g;
    const double f = rosenbrock(x, g);
    if (!x_before.empty()) {
      const Vector ds = plus(x, -1, x_before), dy = plus(g, -1, g_before);
      if (dot(ds, dy) > 1e-10 * dot(dy, dy)) {
        s.push_back(ds), y.push_back(dy);
        if (s.size() > history) s.pop_front(), y.pop_front();
      }
    }
    x_before = x, g_before = g;
    Vector q(x.size());
    q = plus(q, -1, g);
    Vector a(s.size());
    for (std::size_t i = s.size(); i-- > 0;) {
      a[i] = dot(s[i], q) / dot(s[i], y[i]);
      q = plus(q, -a[i], y[i]);
    }
    if (!s.empty()) {
      const double scale = dot(s.back(), y.back()) / dot(y.back(), y.back());
      for (double& v : q) v *= scale;
    }
    for (std::size_t i = 0; i < s.size(); ++i) q = plus(q, a[i] - dot(y[i], q) / dot(s[i], y[i]), s[i]);
    const double slope = dot(q, g), norm = std::sqrt(dot(g, g));
    double t = lr * (s.empty() && norm > 1 ? 1 / norm : 1);
    for (Vector ignored; line_search;) {
      const double there = rosenbrock(plus(x, t, q), ignored);
      if (there <= f + 1e-4 * t * slope) break;
      t *= std::min(0.5, std::max(0.1, -t * slope / (2 * (there - f - t * slope))));
    }
    x = plus(x, t, q);
  }
};

struct Problem {
  std::vector<Tensor> parts;  // consecutive stretches of x
  explicit Problem(const std::vector<Vector>& starts) {
    for (const Vector& start : starts) {
      Array x = Array::empty({static_cast<std::int64_t>(start.size())}, DType::f64);
      std::copy(start.begin(), start.end(), x.data<double>());
      parts.emplace_back(x, true);
    }
  }
  Vector x() const {
    Vector all;
    for (const Tensor& part : parts) {
      const double* const p = part.value().data<double>();
      all.insert(all.end(), p, p + part.value().size());
    }
    return all;
  }
  Tensor loss() {
    Vector g;
    const double f = rosenbrock(x(), g);
    std::size_t at = 0;
    for (Tensor& part : parts) {
      Array of_part = Array::empty(part.shape(), DType::f64);
      std::copy_n(g.begin() + static_cast<std::ptrdiff_t>(at), of_part.size(), of_part.data<double>());
      at += static_cast<std::size_t>(of_part.size());
      part.accumulate_grad(of_part);
    }
    return Tensor(Array::full({1}, f, DType::f64));
  }
  void step(Optimizer& optimizer) {
    optimizer.step([&] { return loss(); });
  }
};

void near(const Vector& x, const Vector& y, double bound) {
  REQUIRE(x.size() == y.size());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::abs(x[i] - y[i]) <= bound * std::max(1.0, std::abs(y[i])));
}

const Vector kStart = {-1.2, 1, 0.3, 2, 1.5, -0.5};

}  // namespace

TEST_CASE("lbfgs is the book's, with and without a line search, and finds the minimum") {
  for (const bool line_search : {true, false}) {
    for (const std::int64_t history : {1, 3, 10}) {
      CAPTURE(line_search);
      CAPTURE(history);
      const double lr = line_search ? 1 : 0.3;
      Problem problem({kStart});
      Optimizer optimizer({{"x", problem.parts[0]}}, lbfgs({.lr = lr, .history = history, .line_search = line_search}));
      Book book{static_cast<std::size_t>(history), line_search, lr};
      Vector x = kStart;
      for (int step = 0; step < 15; ++step) {  // later, rounding differs visibly: the recursion amplifies it
        book.step(x);
        problem.step(optimizer);
        near(problem.x(), x, 1e-9);
      }
      for (int step = 0; step < 45 && line_search && history == 10; ++step) problem.step(optimizer);
      if (line_search && history == 10) near(problem.x(), Vector(6, 1.0), 1e-8);
    }
  }
}

TEST_CASE("lbfgs in several groups is one lbfgs") {
  Problem whole({kStart}), parts({{-1.2, 1}, {0.3, 2, 1.5, -0.5}});
  Optimizer one({{"x", whole.parts[0]}}, lbfgs());
  Optimizer two({Group{{{"a", parts.parts[0]}}, lbfgs()}, Group{{{"b", parts.parts[1]}}, lbfgs()}});
  for (int step = 0; step < 15; ++step) {
    whole.step(one);
    parts.step(two);
    near(parts.x(), whole.x(), 1e-9);
  }
}

TEST_CASE("lbfgs: a search without end leaves the weights and forgets; a loss is needed") {
  Tensor w(Array::full({1}, 2, DType::f64), true);
  Optimizer optimizer({{"w", w}}, lbfgs({.max_evaluations = 4}));
  int calls = 0;
  optimizer.step([&] {  // a loss that rises everywhere but where it is asked for first
    w.accumulate_grad(Array::full({1}, 1, DType::f64));
    return Tensor(Array::full({1}, calls++ == 0 ? 0 : 1, DType::f64));
  });
  CHECK(calls == 5);
  CHECK(w.item() == 2);
  w.accumulate_grad(Array::full({1}, 1, DType::f64));
  CHECK_THROWS_AS(optimizer.step(), Error);
}

TEST_CASE("sums of different levels in several groups stay apart") {
  const auto gradient = [](double value) { return Array::full({1}, value, DType::f64); };
  Tensor a(gradient(0), true), b(gradient(0), true);
  Optimizer optimizer(
      {Group{{{"a", a}}, apply_if_finite(sgd({.lr = 1}))}, Group{{{"b", b}}, clip_norm(sgd({.lr = 1}), 1)}});
  a.accumulate_grad(gradient(3));
  b.accumulate_grad(gradient(4));
  optimizer.step();
  CHECK(a.item() == -3);
  CHECK(b.item() == doctest::Approx(-1).epsilon(1e-6));  // clipped by its own norm of 4
}

TEST_CASE("sophia: Hutchinson's estimate and the step by hand, and its mean") {
  const std::int64_t n = 4096;
  Tensor w(Array::full({n}, 1, DType::f64), true);
  const double c = 2, lr = 0.1, gamma = 0.5;
  Optimizer optimizer({{"w", w}}, sophia({.lr = lr, .gamma = gamma, .weight_decay = 0.1, .every = 2}));
  int calls = 0;
  const auto loss = [&] {  // c / 2 |w|^2
    ++calls;
    Array g = w.value().clone();
    kernels::scale_into(g, c);
    w.accumulate_grad(g);
    return Tensor(Array::full({1}, 0, DType::f64));
  };
  optimizer.step(loss);
  CHECK(calls == 2);
  const Array h = entry(optimizer.state_tree(), "groups/0/hessian/w");
  double mean = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double hessian = h.data<double>()[i], m = 0.04 * c;
    mean += hessian / 0.01 / static_cast<double>(n);
    const double ratio = m / std::max(gamma * hessian, 1e-12);
    CHECK(w.value().data<double>()[i] ==
          doctest::Approx(1 - lr * 0.1 - lr * std::max(-1.0, std::min(1.0, ratio))).epsilon(1e-10));
  }
  CHECK(std::abs(mean - c) < 5 * c * std::sqrt(2.0 / static_cast<double>(n)));  // the variance of u^2 is 2
  optimizer.step(loss);
  CHECK(calls == 3);  // the Hessian of the step before
}
