// Hyper-parameters stay in their ranges at every step: ends and bends of schedules at construction and in set(), what
// is known at work only in step(). And numbers whose squares or differences leave the range of their type.
#include <cmath>
#include <limits>

#include "support.h"

using namespace support;

namespace {

std::string error(const std::string& spec) {
  return message([&] { parse_rule(spec); });
}

Tensor number(double value) { return Tensor(Array::full({1}, value, DType::f64), true); }

}  // namespace

TEST_CASE("the ends of curves are in the range") {
  CHECK(error("lookahead(adam, alpha=linear(total=10, end=5))") ==
        "lookahead: alpha is 5 at step 10, must be in [0, 1]; 1 is the plain inner optimizer");
  CHECK(message([] { adam({.beta1 = 0.9 * schedule::linear({.total = 10, .end = 2})}); }) ==
        "adam: beta1 is 1.8 at step 10, must be in [0, 1)");
  CHECK(error("momentum(momentum=0.5*step(every=3, by=1.5))") ==
        "momentum: momentum is 1.125 at step 6, must be in [0, 1)");
  CHECK(error("momentum(momentum=0.5*multistep(at=4/8, by=3))").find("is 1.5 at step 4, must be") != std::string::npos);
  CHECK(error("momentum(momentum=0.5*piecewise(1, linear(total=5, end=3), at=7))") ==
        "momentum: momentum is 1.5 at step 12, must be in [0, 1)");
  CHECK(error("momentum(momentum=0.5*cosine(total=9, end=1.9))") == "no error");
  CHECK(error("lookahead(adam, alpha=inverse_sqrt(warmup=3))") == "no error");
  CHECK(error("lookahead(adam, alpha=one_cycle(total=30) * restarts(period=4))") == "no error");
  CHECK(error("clip_norm(sgd, max=linear(total=5))") == "no error");  // ends at 0, where nothing moves
  Tensor w = number(1);
  Optimizer optimizer({{"w", w}}, parse_rule("lookahead(sgd(lr=0.1), k=1, alpha=0.5)"));
  CHECK(message([&] {
          optimizer.set("alpha", schedule::linear({.total = 10, .end = 5}));
        }).find("lookahead: alpha is 5 at step 10") == 0);
  CHECK(optimizer.peek("alpha") == 0.5);
}

TEST_CASE("custom schedules and plateaus are checked in the step, before anything moves") {
  Tensor w = number(1);
  Optimizer optimizer(
      {{"w", w}},
      lookahead(sgd({.lr = 0.1}),
                {.k = 1, .alpha = schedule::custom("jump", [](std::int64_t step) { return step == 2 ? 3.0 : 0.5; })}));
  w.accumulate_grad(Array::full({1}, 1, DType::f64));
  optimizer.step();
  optimizer.step();
  const double before = w.item();
  CHECK(message([&] { optimizer.step(); }) ==
        "lookahead: alpha is 3 at step 2, must be in [0, 1]; 1 is the plain inner optimizer");
  CHECK(w.item() == before);
  CHECK(optimizer.step_count() == 2);
  optimizer.set("alpha", 0.5);
  optimizer.step();
  CHECK(w.item() == doctest::Approx(before - 0.05));

  Tensor v = number(1);
  Optimizer other({{"v", v}}, parse_rule("momentum(momentum=0.5*plateau(by=2, patience=0))"));
  v.accumulate_grad(Array::full({1}, 1, DType::f64));
  other.report(1);
  other.step();
  other.report(1);
  CHECK(message([&] { other.step(); }) == "momentum: momentum is 1 at step 1, must be in [0, 1)");
}

TEST_CASE("what is not finite, and names that are no hyper-parameters") {
  CHECK(message([] { adam({.lr = std::numeric_limits<double>::quiet_NaN()}); }) ==
        "adam: lr is nan, must be finite and at least 0");
  CHECK(error("lookahead(sgd, alpha=1e999)").find("alpha is inf, must be in [0, 1]") != std::string::npos);
  Tensor w = number(1);
  Optimizer optimizer({{"w", w}}, parse_rule("lookahead(momentum(no_bias_decay), k=5, alpha=0.5)"));
  CHECK(message([&] {
          optimizer.set("no_bias_decay", 1);
        }).find("optimizer: no_bias_decay is true or false and fixed at binding: in lookahead(") == 0);
  CHECK(message([&] { optimizer.set("state", 1); }).find("optimizer: state is a word and fixed at binding") == 0);
  CHECK(message([&] { optimizer.set("nesterof", 1); }).find("did you mean") == std::string::npos);
}

TEST_CASE("fractions of a short run that round to one step are one milestone") {
  CHECK(parse_schedule("multistep(at=0.5/0.6/0.7/0.8/0.9, by=0.5)", 5).describe() == "multistep(at=3/4/5, by=0.5)");
  CHECK(parse_schedule("multistep(at=0.5/0.75, by=0.5)", 100).describe() == "multistep(at=50/75, by=0.5)");
  CHECK(message([] { parse_schedule("multistep(at=3/3)"); }).find("must be above the entry before it") !=
        std::string::npos);
}

TEST_CASE("norms whose squares leave the range of double") {
  for (const double size : {1e200, 1e-200}) {
    Tensor w(Array::zeros({2}, DType::f64), true);
    Optimizer optimizer({{"w", w}}, clip_norm(sgd({.lr = 1}), size));
    w.accumulate_grad(Array::from({3 * size, 4 * size}, {2}, DType::f64));
    optimizer.step();
    CHECK(w.value().at({0}) == doctest::Approx(-0.6 * size).epsilon(1e-14));
    CHECK(w.value().at({1}) == doctest::Approx(-0.8 * size).epsilon(1e-14));

    Tensor v(Array::full({1}, 2, DType::f64), true);
    Optimizer layerwise({{"v", v}}, parse_rule("lars(lr=1, momentum=0, trust=0.01)"));
    v.accumulate_grad(Array::full({1}, size, DType::f64));
    layerwise.step();
    CHECK(v.item() == doctest::Approx(1.98).epsilon(1e-14));
  }
}

TEST_CASE("centered rmsprop stays finite where the gradient is constant") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Tensor w(Array::zeros({1}, dtype), true);
    Optimizer optimizer({{"w", w}}, parse_rule("rmsprop(lr=0.01, centered)"));
    w.accumulate_grad(Array::full({1}, 0.1, dtype));
    for (int t = 0; t < 4000; ++t) optimizer.step();
    CHECK(std::isfinite(w.item()));
  }
}
