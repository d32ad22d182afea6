// polyak_sgd and asgd by hand, averages of slow weights, and the warm-up of ema.
#include <cmath>

#include "support.h"

using namespace support;

namespace {

/// Steps of a rule on 1/2 |w|^2.
void descend(Optimizer& optimizer, Tensor w, int steps, bool tells_loss = true) {
  for (int t = 0; t < steps; ++t) {
    optimizer.step([&] {
      const std::vector<double> x = w.value().to_vector<double>();
      double loss = 0;
      for (const double v : x) loss += 0.5 * v * v;
      w.accumulate_grad(Array::from(x, w.shape()));
      return tells_loss ? Tensor(Array::full({}, loss, DType::f64)) : Tensor();
    });
  }
}

Tensor start() { return Tensor(Array::from({3, 4}, {2}, DType::f64), true); }

/// One weight from 0, gradient -1, lr 1: what an evaluation shows after each step.
void shows(const char* spec, const std::vector<double>& expected) {
  CAPTURE(spec);
  Tensor w(Array::zeros({1}, DType::f64), true);
  Optimizer optimizer({{"w", w}}, parse_rule(spec));
  for (const double x : expected) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, -1, DType::f64));
    optimizer.step();
    const EvaluationWeights average = optimizer.evaluation_weights();
    CHECK(w.item() == doctest::Approx(x).epsilon(1e-14));
  }
}

}  // namespace

TEST_CASE("polyak_sgd steps by (f - f_min) / |g|^2, at most max") {
  const auto after = [](const PolyakSgdOptions& options) {
    Tensor w = start();
    Optimizer optimizer({{"w", w}}, polyak_sgd(options));
    descend(optimizer, w, 1);
    return w.value().to_vector<double>();
  };
  CHECK(after({}) == std::vector<double>{1.5, 2});  // 12.5 / 25
  CHECK(after({.lr = 0.5}) == std::vector<double>{2.25, 3});
  CHECK(after({.max = 0.25}) == std::vector<double>{2.25, 3});
  CHECK(after({.f_min = 6.25}) == std::vector<double>{2.25, 3});
  CHECK(after({.f_min = 20}) == std::vector<double>{3, 4});
  CHECK(after({.eps = 25}) == std::vector<double>{2.25, 3});
}

TEST_CASE("polyak_sgd has one norm for all groups, stops at zero, and needs the loss") {
  Tensor v(Array::full({1}, 3, DType::f64), true), w(Array::full({1}, 4, DType::f64), true);
  Optimizer groups({Group{{{"v", v}}, polyak_sgd()}, Group{{{"w", w}}, polyak_sgd()}});
  groups.step([&] {
    v.accumulate_grad(v.value());
    w.accumulate_grad(w.value());
    return Tensor(Array::full({}, 12.5, DType::f64));
  });
  CHECK(v.item() == 1.5);
  CHECK(w.item() == 2);

  Tensor zero(Array::zeros({2}, DType::f64), true);
  Optimizer still({{"w", zero}}, polyak_sgd());
  descend(still, zero, 2);
  CHECK(zero.value().at({0}) == 0);

  Tensor x = start();
  Optimizer optimizer({{"w", x}}, polyak_sgd());
  CHECK(optimizer.needs_closure());
  CHECK(message([&] { descend(optimizer, x, 1, false); }) == "polyak_sgd: the loss is NaN; return it from the closure");
  CHECK(x.value().at({0}) == 3);
}

TEST_CASE("asgd averages from t0 on") {
  shows("asgd(lr=1, lambd=0, t0=1)", {1, 2, 3, 3.5, 4});  // mu = 1, 1, 1, 1/2, 1/3
  shows("asgd(lr=1, lambd=0)", {1, 2, 3});
  // eta = 1, 1/2, 1/3: w = 0 + 1; (1 - 1/2) + 1/2; (1 - 1/3) + 1/3
  shows("asgd(lr=1, lambd=1, alpha=1)", {1, 1, 1});
  shows("asgd(lr=1, lambd=0, weight_decay=0.5)", {1, 1.5, 1.75});
}

TEST_CASE("averages of slow weights") {
  // Fast weights 1 | 2 -> 1, 2 | 3 -> 2; slow ones 0, 1, 1, 2.
  shows("polyak(lookahead(sgd(lr=1), k=2, alpha=0.5), slow)", {0, 0.5, 2.0 / 3, 1});
  shows("ema(lookahead(sgd(lr=1), k=2, alpha=0.5), decay=0.5, slow)", {0, 0.5, 0.75, 1.375});
  shows("swa(lookahead(sgd(lr=1), k=2, alpha=0.5), from=2, every=2, slow)", {0, 1, 1, 1.5});
  shows("polyak(sgd(lr=1), slow)", {1, 1.5, 2});  // nothing but the weights to take
}

TEST_CASE("the decay of ema warms up") {
  const double second = 1 + 9.0 / 11, third = second + 0.75 * (3 - second);
  shows("ema(sgd(lr=1), decay=0.9, warmup)", {1, second, third});
  shows("ema(sgd(lr=1), decay=0.125, warmup)", {1, 1.875, 2.859375});  // the decay is the smaller one
}

TEST_CASE("ranger is a composition") {
  CHECK(ranger({.lr = 0.01}).describe() ==
        "lookahead(centralize(radam(lr=0.01, beta1=0.95, eps=1e-05)), k=6, alpha=0.5)");
  CHECK(parse_rule(ranger().describe()) == ranger());
}
