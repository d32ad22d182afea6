// The leaves of later papers: the first steps by hand, closed forms, and the losses that optax' documentation prints.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <tandem/optim/cube_root.h>

#include "support.h"

using namespace support;

namespace {

/// The weight after each of these gradients, in f64.
std::vector<double> path(const Rule& rule, double start, const std::vector<double>& gradients) {
  Tensor w(Array::full({1}, start, DType::f64), true);
  Optimizer optimizer({{"w", w}}, rule);
  std::vector<double> weights;
  for (const double g : gradients) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, g, DType::f64));
    optimizer.step();
    weights.push_back(w.item());
  }
  return weights;
}

void near(const std::vector<double>& x, const std::vector<double>& y) {
  REQUIRE(x.size() == y.size());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == doctest::Approx(y[i]).epsilon(1e-13));
}

}  // namespace

TEST_CASE("adabelief, adamax, yogi by hand") {
  // Betas of 1/2 are corrected by 1/2, then 3/4. adabelief: m = 1, 1.5; g - m = 1, 0.5; s = 0.5, 0.375; s^ = 1, 0.5.
  near(path(adabelief({.lr = 1, .beta1 = 0.5, .beta2 = 0.5, .eps = 0, .eps_root = 0}), 10, {2, 2}),
       {10 - 2, 8 - 2 / std::sqrt(0.5)});
  // eps_root goes into s itself: s = 0.5 + 0.25, then 0.375 + 0.125 + 0.25.
  near(path(adabelief({.lr = 1, .beta1 = 0.5, .beta2 = 0.5, .eps = 1, .eps_root = 0.25}), 10, {2, 2}),
       {10 - 2 / (std::sqrt(1.5) + 1), 10 - 2 / (std::sqrt(1.5) + 1) - 2 / (std::sqrt(0.75 / 0.75) + 1)});
  // adamax: u = 4 + 1, then max(2.5, 1 + 1); m = 2, 1.5, with corrections 4, 2.
  near(path(adamax({.lr = 1, .beta1 = 0.5, .beta2 = 0.5, .eps = 1}), 10, {4, 1}), {10 - 0.8, 9.2 - 0.8});
  // yogi, v from 1: v - g^2 = -3, so v = 1 + 2 and v^ = 6; then 3 - 1 > 0, v = 3 - 1/2 and v^ = 10/3. m^ = 2, 4/3.
  near(path(yogi({.lr = 1, .beta1 = 0.5, .beta2 = 0.5, .eps = 0, .initial = 1}), 10, {2, 1}),
       {10 - 2 / std::sqrt(6.0), 10 - 2 / std::sqrt(6.0) - 4.0 / 3 / std::sqrt(10.0 / 3)});
  CHECK(path(yogi({.lr = 1, .beta2 = 0.5, .eps = 0, .initial = 4}), 10, {2}).front() ==
        doctest::Approx(10 - 2 / std::sqrt(8.0)));  // v = g^2: it stays
}

TEST_CASE("adan and ademamix by hand") {
  // adan, betas 1/2: d = 0, 2; m^ = 2, 10/3; v^ = 0, 4/3; n = 2, 1 + 25 / 2; n^ = 4, 18; u = 1, (10/3 + 2/3) /
  // sqrt(18).
  const double second = 4 / std::sqrt(18.0);
  const AdanOptions adan_options{.lr = 1, .beta1 = 0.5, .beta2 = 0.5, .beta3 = 0.5, .eps = 0};
  near(path(adan(adan_options), 10, {2, 4}), {9, 9 - second});
  AdanOptions decayed = adan_options;
  decayed.weight_decay = 0.25;
  near(path(adan(decayed), 10, {2, 4}), {9 / 1.25, (9 / 1.25 - second) / 1.25});

  // ademamix: m^ = v^ = 1 where all gradients are 1; the slow average is 1 - beta3^t.
  near(path(ademamix({.lr = 1, .eps = 0, .beta3 = 0.5, .alpha = 2}), 10, {1, 1}), {10 - 2, 8 - 2.5});
  near(path(ademamix({.lr = 1, .eps = 1, .beta3 = 0.5, .alpha = 2, .weight_decay = 0.1}), 10, {1}), {10 - 1 - 1});
  // alpha in its warm-up of 4: 2/4, 4/4. beta3 from 1/4 to 1/2 in 2: half-lives 1/2 and 1, their mean 3/4.
  near(path(ademamix({.lr = 1, .eps = 0, .beta3 = 0.5, .alpha = 2, .alpha_warmup = 4}), 10, {1, 1}),
       {10 - 1.25, 8.75 - 1.75});
  const double slow = 1 - std::pow(0.5, 4.0 / 3);
  near(path(ademamix({.lr = 1, .beta1 = 0.25, .eps = 0, .beta3 = 0.5, .beta3_warmup = 2, .alpha = 1}), 10, {1, 1}),
       {10 - 1 - slow, 10 - 1 - slow - 1 - (0.5 * slow + 0.5)});
  // A beta1 above beta3 warms up from beta3, and beta1 = 0 from no memory at all.
  const AdemamixOptions above{.lr = 1, .beta1 = 0.9, .beta3 = 0.5};
  AdemamixOptions warmed = above;
  warmed.beta3_warmup = 3;
  CHECK(path(ademamix(warmed), 1, {1, -2, 3, -4}) == path(ademamix(above), 1, {1, -2, 3, -4}));
  CHECK(std::isfinite(path(ademamix({.beta1 = 0, .beta3_warmup = 3}), 1, {1, -2, 3, -4}).back()));
}

TEST_CASE("adopt by hand: the first step moves nothing, and the clip is (t - 1)^(1/4)") {
  // beta2 = 1/2, g = 2, 8, 2: v = 4, 34, 19. Ratios 8/2 = 4 clipped to 1, 2/sqrt(34) below 2^(1/4).
  AdoptOptions options{.lr = 1, .beta1 = 0.5, .beta2 = 0.5};
  const double third = 0.25 + 0.5 * 2 / std::sqrt(34.0);
  near(path(adopt(options), 10, {2, 8, 2}), {10, 9.5, 9.5 - third});
  options.clip = false;
  near(path(adopt(options), 10, {2, 8, 2}), {10, 8, 8 - 1 - 1 / std::sqrt(34.0)});
  options.eps = 16;  // max, not a sum
  near(path(adopt(options), 10, {2, 8}), {10, 9.75});
  options.weight_decay = 0.5, options.decoupled = true;
  near(path(adopt(options), 10, {2, 8}), {10, 5 - 0.25});
  CHECK(std::isnan(path(adopt(), 1, {1, std::nan("")}).back()));
}

TEST_CASE("madgrad by hand, and x0 begins again after a reset") {
  // s = 8 and v = 64, whose cube root is 4: z = 10 - 2.
  near(path(madgrad({.lr = 1, .momentum = 0.5, .eps = 0}), 10, {8}), {9});
  const double s = 8 + 8 * std::sqrt(2.0), root = std::cbrt(64 + 64 * std::sqrt(2.0));
  near(path(madgrad({.lr = 1, .momentum = 0.5, .eps = 0}), 10, {8, 8}), {9, 0.5 * 9 + 0.5 * (10 - s / root)});
  near(path(madgrad({.lr = 1, .momentum = 0, .eps = 4}), 10, {8}), {9});
  near(path(madgrad({.lr = 1, .momentum = 0.5, .eps = 0, .weight_decay = 0.125, .decoupled = true}), 10, {8}),
       {9 - 1.25});
  near(path(madgrad({.eps = 0}), 10, {0, 0}), {10, 10});
  // Cycles of one step, each with fresh state: always the first step.
  const Rule returning = lookahead(madgrad({.lr = 1}), {.k = 1, .alpha = 1, .state = InnerState::reset});
  const double step = path(returning, 10, {8}).front() - 10;
  near(path(returning, 10, {8, 8, 8}), {10 + step, 10 + 2 * step, 10 + 3 * step});
}

TEST_CASE("rprop, sign_sgd, signum, qhm, qhadam by hand") {
  // Steps 0.1, 0.12; a change of sign halves the step and waits; then the sign of the next gradient, step as it was.
  near(path(rprop({.lr = 0.1}), 1, {5, 0.1, -3, -1, -1}), {0.9, 0.78, 0.78, 0.84, 0.84 + 0.072});
  near(path(rprop({.lr = 0.1, .max_step_size = 0.11}), 1, {5, 5, 0}), {0.9, 0.79, 0.79});
  near(path(rprop({.lr = 0.1, .min_step_size = 0.2}), 1, {5}), {0.8});
  CHECK(std::isnan(path(rprop(), 1, {std::nan("")}).front()));

  near(path(sign_sgd({.lr = 0.25}), 1, {5, -0.1, 0}), {0.75, 1, 1});
  near(path(sign_sgd({.lr = 0.25, .weight_decay = 2}), 1, {5}), {0.25});
  CHECK(std::isnan(path(sign_sgd(), 1, {std::nan("")}).front()));
  // m = 2, -1, 0.5 (half of the last, half of the gradient)
  near(path(signum({.lr = 0.25, .momentum = 0.5}), 1, {4, -4, 2}), {0.75, 1, 0.75});
  near(path(signum({.lr = 0.25, .momentum = 0.5, .weight_decay = 2}), 1, {4}), {0.25});
  CHECK(std::isnan(path(signum(), 1, {std::nan("")}).front()));

  near(path(qhm({.lr = 1, .momentum = 0.5, .nu = 0.25}), 10, {4, 4}), {10 - 3.5, 6.5 - 3.75});
  // m^ = 2, 10/3; v^ = 4, 12: (g + m^) / 2 over sqrt((g^2 + v^) / 2).
  near(path(qhadam({.lr = 1, .beta1 = 0.5, .beta2 = 0.5, .eps = 0, .nu1 = 0.5, .nu2 = 0.5}), 10, {2, 4}),
       {9, 9 - (4 + 10.0 / 3) / 2 / std::sqrt(14.0)});
}

TEST_CASE("closed forms under a constant gradient") {
  const auto follows = [](const Rule& rule, const std::function<double(std::int64_t)>& form) {
    const RuleReport report = check_rule(rule, {.trajectory = form, .start = 2, .gradient = 0.5});
    CHECK_MESSAGE(report.verdicts.front().outcome == Verdict::Outcome::passed, report.to_string());
  };
  const auto each = [](std::int64_t t, const std::function<double(double)>& term) {
    double sum = 0;
    for (std::int64_t i = 1; i <= t; ++i) sum += term(static_cast<double>(i));
    return sum;
  };
  const auto line = [](std::int64_t t) { return 2 - 0.1 * static_cast<double>(t); };
  follows(adamax({.lr = 0.1, .eps = 0}), line);
  follows(sign_sgd({.lr = 0.1}), line);
  follows(signum({.lr = 0.1}), line);
  follows(qhadam({.lr = 0.1, .eps = 0, .nu1 = 0.3, .nu2 = 0.6}), line);
  follows(adan({.lr = 0.1, .eps = 0}), line);
  follows(ademamix({.lr = 0.1, .eps = 0, .alpha = 0}), line);
  follows(adopt({.lr = 0.1}),
          [&](std::int64_t t) { return 2 - 0.1 * each(t, [](double i) { return 1 - std::pow(0.9, i - 1); }); });
  follows(qhm({.lr = 0.1, .momentum = 0.9, .nu = 0.5}), [&](std::int64_t t) {
    return 2 - 0.1 * each(t, [](double i) { return 0.25 + 0.25 * (1 - std::pow(0.9, i)); });
  });
  follows(rprop({.lr = 0.1}),
          [&](std::int64_t t) { return 2 - 0.1 * each(t, [](double i) { return std::pow(1.2, i - 1); }); });
  follows(madgrad({.lr = 0.1, .momentum = 0, .eps = 0}), [&](std::int64_t t) {
    const double roots = 0.1 * each(t, [](double i) { return std::sqrt(i); });
    return 2 - 0.5 * roots / std::cbrt(0.25 * roots);
  });
}

TEST_CASE("rules that contain others are these, bit for bit") {
  const auto equal = [](const Rule& one, const Rule& other) {
    CHECK_MESSAGE(same(trained(one, 8), trained(other, 8)), one.describe());
  };
  equal(sign_sgd({.lr = 0.1}), signum({.lr = 0.1, .momentum = 0}));
  equal(signum({.lr = 0.1, .momentum = 0.9}), lion({.lr = 0.1, .beta1 = 0.9, .beta2 = 0.9}));
  equal(qhm({.lr = 0.1, .nu = 0}), sgd({.lr = 0.1}));
  equal(ademamix({.lr = 0.01, .alpha = 0, .weight_decay = 0}), adam({.lr = 0.01}));
  // Warm-ups of alpha by its option and by a schedule.
  equal(ademamix({.lr = 0.01, .alpha = 4, .alpha_warmup = 4}),
        ademamix({.lr = 0.01, .alpha = 4 * schedule::constant({.warmup = 4})}));
}

// Not adan and rprop, where optax differs from the paper and from PyTorch (adan.h; its rprop moves by the step before).
TEST_CASE("the losses that optax' documentation prints") {
  const auto losses = [](const char* text) {
    Tensor x(Array::from({1.0, 2.0, 3.0}, {3}), true);
    Optimizer optimizer({{"x", x}}, parse_rule(text));
    std::string printed;
    for (int i = 0; i < 5; ++i) {
      optimizer.step([&] {
        Tensor loss = sum(x * x);
        loss.backward();
        return loss;
      });
      printed += fmt::format("{:.2E} ", sum(x * x).item());
    }
    return printed;
  };
  CHECK(losses("adabelief(lr=0.003)") == "1.40E+01 1.39E+01 1.39E+01 1.38E+01 1.38E+01 ");
  CHECK(losses("adamax(lr=0.003)") == "1.40E+01 1.39E+01 1.39E+01 1.39E+01 1.38E+01 ");
  CHECK(losses("ademamix(lr=0.01)") == "1.39E+01 1.38E+01 1.36E+01 1.35E+01 1.34E+01 ");
  CHECK(losses("adopt(lr=0.003)") == "1.40E+01 1.40E+01 1.40E+01 1.40E+01 1.40E+01 ");
  CHECK(losses("sign_sgd(lr=0.003)") == "1.40E+01 1.39E+01 1.39E+01 1.39E+01 1.38E+01 ");
  CHECK(losses("yogi(lr=0.002)") == "1.40E+01 1.40E+01 1.39E+01 1.39E+01 1.39E+01 ");
}

TEST_CASE("hyper-parameters outside their ranges are refused") {
  CHECK(message([] { rprop({.eta_minus = 1}); }) == "rprop: eta_minus is 1, must be in (0, 1)");
  CHECK(message([] { rprop({.eta_plus = 1}); }) == "rprop: eta_plus is 1, must be above 1");
  CHECK(message([] { qhm({.nu = 1.5}); }) == "qhm: nu is 1.5, must be in [0, 1]");
  CHECK(message([] { qhadam({.nu2 = -1}); }) == "qhadam: nu2 is -1, must be in [0, 1]");
  CHECK(message([] { adan({.beta3 = 1}); }) == "adan: beta3 is 1, must be in [0, 1)");
  CHECK(message([] { ademamix({.alpha = -1}); }) == "ademamix: alpha is -1, must be at least 0");
  CHECK(message([] { yogi({.initial = -1}); }) == "yogi: initial is -1, must be at least 0");
}

TEST_CASE("the cube root is good to one unit in the last place, over the whole range") {
  const auto check = [](auto first, auto factor) {
    using T = decltype(first);
    T worst = 0;
    for (T x = first; x <= std::numeric_limits<T>::max(); x = std::max(x * factor, std::nextafter(x, 2 * x))) {
      const auto truth = static_cast<T>(std::cbrt(static_cast<long double>(x)));
      worst = std::max(worst, std::abs(detail::cbrt(x) - truth) / truth);
    }
    CHECK(worst <= std::numeric_limits<T>::epsilon());
    const T none = std::numeric_limits<T>::infinity();
    CHECK(detail::cbrt(T(0)) == 0);
    CHECK(detail::cbrt(none) == none);
    CHECK(std::isnan(detail::cbrt(std::numeric_limits<T>::quiet_NaN())));
  };
  check(std::numeric_limits<float>::denorm_min(), 1.0037F);
  check(std::numeric_limits<double>::denorm_min(), 1.0137);
}
