// The relatives of Lookahead that outer_loop spells, against their published updates written straight down in f64;
// loops of different k and alpha in different groups.
#include <cmath>
#include <functional>

#include "support.h"

using namespace support;

namespace {

/// One inner rule for one weight, as in its paper.
struct Inner {
  std::function<double(double w, double g)> step;
};

Inner plain_sgd(double lr) {
  return {[lr](double w, double g) { return w - lr * g; }};
}
Inner plain_momentum(double lr, double mu) {
  return {[lr, mu, v = 0.0](double w, double g) mutable {
    v = mu * v + g;
    return w - lr * v;
  }};
}
Inner plain_adamw(double lr, double decay) {
  return {[lr, decay, m = 0.0, v = 0.0, t = 0](double w, double g) mutable {
    ++t;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    const double step = (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    return w - lr * decay * w - lr * step;
  }};
}

/// `outer` moves phi by s = phi - theta_k. Gradients depend on the weights: 1/2 curvature (w - noise)^2.
void compare(const Rule& rule, const std::function<Inner()>& inner, int k,
             const std::function<std::function<double(double phi, double s)>()>& outer) {
  CAPTURE(rule.describe());
  constexpr int kWeights = 6;
  Tensor w = parameter({kWeights}, 3, DType::f64);
  std::vector<double> phi = w.value().to_vector<double>(), theta = phi;
  std::vector<Inner> inners;
  std::vector<std::function<double(double, double)>> outers;
  for (int i = 0; i < kWeights; ++i) inners.push_back(inner()), outers.push_back(outer());
  Optimizer optimizer({{"w", w}}, rule);
  for (int t = 1; t <= 10 * k + 1; ++t) {
    const std::vector<double> noise = gradient(w, 8, t, 0).to_vector<double>(), now = w.value().to_vector<double>();
    std::vector<double> g;
    double worst = 0;
    for (std::size_t i = 0; i < kWeights; ++i) {
      const double curvature = 0.3 * static_cast<double>(i + 1);
      g.push_back(curvature * (now[i] - noise[i]));
      theta[i] = inners[i].step(theta[i], curvature * (theta[i] - noise[i]));
      if (t % k == 0) theta[i] = phi[i] = outers[i](phi[i], phi[i] - theta[i]);
    }
    optimizer.zero_grad();
    w.accumulate_grad(Array::from(g, {kWeights}));
    optimizer.step();
    const std::vector<double> after = w.value().to_vector<double>();
    for (std::size_t i = 0; i < kWeights; ++i) worst = std::max(worst, std::abs(after[i] - theta[i]));
    REQUIRE_MESSAGE(worst < 1e-12, "step " << t << ": " << worst);
  }
}

}  // namespace

TEST_CASE("SlowMo: u = beta u + s / g, phi -= alpha g u") {
  const double lr = 0.1, alpha = 0.8, beta = 0.6;
  const auto slowmo = [=] {
    return [=, u = 0.0](double phi, double s) mutable {
      u = beta * u + s / lr;
      return phi - alpha * lr * u;
    };
  };
  const Rule outer = momentum({.lr = alpha, .momentum = beta});
  compare(
      outer_loop(sgd({.lr = lr}), outer, {.k = 4}), [=] { return plain_sgd(lr); }, 4, slowmo);
  compare(
      outer_loop(momentum({.lr = lr, .momentum = 0.5}), outer, {.k = 3}), [=] { return plain_momentum(lr, 0.5); }, 3,
      slowmo);
}

TEST_CASE("DiLoCo with one worker: AdamW inside, Nesterov with lr 0.7 and momentum 0.9 outside") {
  const Rule rule =
      parse_rule("outer_loop(adamw(lr=0.05, weight_decay=0.1), momentum(lr=0.7, momentum=0.9, nesterov), k=10)");
  compare(
      rule, [] { return plain_adamw(0.05, 0.1); }, 10,
      [] {
        return [b = 0.0](double phi, double s) mutable {
          b = 0.9 * b + s;
          return phi - 0.7 * (s + 0.9 * b);
        };
      });
}

TEST_CASE("SNOO: b = mu b + s, phi -= eta (mu b + s)") {
  compare(
      outer_loop(momentum({.lr = 0.1}), momentum({.lr = 0.5, .momentum = 0.4, .nesterov = true}), {.k = 5}),
      [] { return plain_momentum(0.1, 0.9); }, 5,
      [] {
        return [b = 0.0](double phi, double s) mutable {
          b = 0.4 * b + s;
          return phi - 0.5 * (0.4 * b + s);
        };
      });
}

TEST_CASE("BMUF: D = eta D - zeta s, phi += D") {
  compare(
      outer_loop(sgd({.lr = 0.1}), momentum({.lr = 0.9, .momentum = 0.5}), {.k = 3}), [] { return plain_sgd(0.1); }, 3,
      [] {
        return [d = 0.0](double phi, double s) mutable {
          d = 0.5 * d - 0.9 * s;
          return phi + d;
        };
      });
}

TEST_CASE("groups have k and alpha of their own") {
  const Rule first = lookahead(adam({.lr = 0.1}), {.k = 2, .alpha = 0.3});
  const Rule second = lookahead(momentum({.lr = 0.1}), {.k = 5, .alpha = 0.8, .state = InnerState::reset});
  NamedTensors both = model(4), a = model(4), b = model(4);
  Optimizer pair({Group{{both[0], both[1]}, first}, Group{{both[2], both[3]}, second}});
  train(pair, both, 0, 13);
  Optimizer only_a(a, first), only_b(b, second);
  train(only_a, a, 0, 13);
  train(only_b, b, 0, 13);
  for (const std::size_t i : {0, 1}) CHECK(identical(both[i].tensor.value(), a[i].tensor.value()));
  for (const std::size_t i : {2, 3}) CHECK(identical(both[i].tensor.value(), b[i].tensor.value()));

  pair.set("groups/1/alpha", 0);
  CHECK(pair.peek("groups/0/alpha") == 0.3);
  CHECK(pair.peek("groups/1/alpha") == 0);
}
