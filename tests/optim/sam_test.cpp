// SAM by hand, its norm over all groups, parameters without gradients, and what it is with rho = 0.
#include <cmath>

#include "support.h"

using namespace support;

namespace {

/// 1/2 sum a_i (x_i - 1)^2 + 1/2 x_0 x_2: x_0, x_1 are one parameter and x_2 another, so that each one's gradient
/// depends on where the other is.
std::vector<double> gradient_at(const std::vector<double>& x) {
  return {x[0] - 1 + 0.5 * x[2], 0.25 * (x[1] - 1), 4 * (x[2] - 1) + 0.5 * x[0]};
}

struct Pair {
  Tensor v{Array::from({3, -1}, {2}, DType::f64), true}, w{Array::from({0.5}, {1}, DType::f64), true};

  Tensor backward(bool with_w = true) {
    const std::vector<double> g = gradient_at(values());
    v.accumulate_grad(Array::from({g[0], g[1]}, {2}, DType::f64));
    if (with_w) w.accumulate_grad(Array::from({g[2]}, {1}, DType::f64));
    return Tensor();
  }
  std::vector<double> values() const {
    std::vector<double> x = v.value().to_vector<double>();
    x.push_back(w.item());
    return x;
  }
};

}  // namespace

TEST_CASE("sam descends by the gradient at w + rho g / |g|, the norm over all groups") {
  const Rule rule = sam(sgd({.lr = 0.1}), {.rho = 0.2});
  for (const bool is_split : {false, true}) {
    for (const bool is_wrapped : {false, true}) {
      Pair pair;
      const Rule used = is_wrapped ? lookahead(rule, {.k = 3, .alpha = 0.5}) : rule;
      const std::vector<Group> split = {Group{{{"v", pair.v}}, used}, Group{{{"w", pair.w}}, used}};
      const std::vector<Group> whole = {Group{{{"v", pair.v}, {"w", pair.w}}, used}};
      Optimizer optimizer(is_split ? split : whole);
      CHECK(optimizer.needs_closure());
      std::vector<double> x = pair.values(), slow = x;
      int calls = 0;
      for (int t = 1; t <= 7; ++t) {
        optimizer.step([&] { return ++calls, pair.backward(); });
        const std::vector<double> g = gradient_at(x);
        const double norm = std::sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
        std::vector<double> there = x;
        for (std::size_t i = 0; i < 3; ++i) there[i] += 0.2 / norm * g[i];
        const std::vector<double> descent = gradient_at(there);
        for (std::size_t i = 0; i < 3; ++i) {
          x[i] -= 0.1 * descent[i];
          if (is_wrapped && t % 3 == 0) x[i] = slow[i] += 0.5 * (x[i] - slow[i]);
          CHECK(pair.values()[i] == doctest::Approx(x[i]).epsilon(1e-13));
        }
      }
      CHECK(calls == 14);
    }
  }
}

TEST_CASE("sam leaves a parameter without a gradient out of the norm and where it is") {
  Pair pair;
  Optimizer optimizer({{"v", pair.v}, {"w", pair.w}}, sam(sgd({.lr = 0.1}), {.rho = 0.2}));
  optimizer.step([&] { return pair.backward(false); });
  const double norm = std::hypot(2.25, -0.5);  // of 3 - 1 + 0.5 * 0.5 and 0.25 * -2
  CHECK(pair.v.value().at({0}) == doctest::Approx(3 - 0.1 * (2.25 + 0.2 / norm * 2.25)).epsilon(1e-14));
  CHECK(pair.v.value().at({1}) == doctest::Approx(-1 - 0.1 * 0.25 * (-2 - 0.2 / norm * 0.5)).epsilon(1e-14));
  CHECK(pair.w.item() == 0.5);
}

TEST_CASE("sam with rho = 0 is the inner rule, bit for bit; its explanations show the other gradient") {
  Pair with, without;
  Optimizer one({{"v", with.v}, {"w", with.w}}, sam(adam({.lr = 0.1}), {.rho = 0})),
      other({{"v", without.v}, {"w", without.w}}, adam({.lr = 0.1}));
  one.trace("v", {1});
  for (int t = 0; t < 4; ++t) {
    one.step([&] { return with.backward(); });
    other.step([&] { return without.backward(); });
    CHECK(with.values() == without.values());
    const Explanation e = one.explain("v", {1});
    CHECK(e.is_exact);
    CHECK(e.to_string().find("g = g_elsewhere") != std::string::npos);
  }
}
