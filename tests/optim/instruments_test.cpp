// Instruments on quadratics, where every number is known, and against PyTorch's gradients of single examples
// (golden/make_curvature_golden.py). What they leave as it is: tests/train.
#include <tandem/optim/study/instruments.h>

#include "golden/golden_file.h"
#include "support.h"

#include <cmath>
#include <limits>

using namespace support;

namespace {

/// sum_j h_j (w_j - c_j)^2 / 2
Tensor bowl(const Tensor& w, std::initializer_list<double> h, std::initializer_list<double> c) {
  const Shape shape = {static_cast<std::int64_t>(h.size())};
  const Tensor curvature(Array::from(h, shape, w.dtype())), centre(Array::from(c, shape, w.dtype()));
  return sum(curvature * square(w - centre)) * 0.5;
}

Tensor weights(std::initializer_list<double> values, DType dtype = DType::f64) {
  return Tensor(Array::from(values, {static_cast<std::int64_t>(values.size())}, dtype), true);
}

/// One part for all of the batch.
std::vector<BatchPart> whole(std::function<Tensor()> loss, std::int64_t examples = 1) {
  return {{std::move(loss), examples}};
}

Tensor numbers(std::int64_t first, const Shape& shape, bool requires_grad = true) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.count(); ++i) values.push_back(std::sin(1.7 * static_cast<double>(first + i)));
  return Tensor(Array::from(values, shape), requires_grad);
}

}  // namespace

TEST_CASE("a step of sgd on a parabola: alpha = lr h - 1, and norms by hand") {
  for (const double lr : {0.125, 0.25, 0.5, 0.75}) {
    CAPTURE(lr);
    Tensor w = weights({3});
    Optimizer optimizer({{"w", w}}, sgd({.lr = lr}));
    Instruments instruments(optimizer);
    const auto loss = [&] { return bowl(w, {4}, {1}); };
    const InstrumentReport report = instruments.measure(whole(loss), [&] {
      optimizer.zero_grad();
      loss().backward();
      optimizer.step();
    });
    CHECK(report.alpha == doctest::Approx(4 * lr - 1).scale(1));
    CHECK(report.loss == 8);
    CHECK(report.loss_after == doctest::Approx(2 * (2 - 8 * lr) * (2 - 8 * lr)));
    CHECK(report.whole.gradient_norm == 8);
    CHECK(report.whole.update_size == doctest::Approx(8 * lr));
    CHECK(report.whole.distance == 0);
    CHECK(report.sharpness.value == doctest::Approx(4));
    CHECK(report.whole.trace == doctest::Approx(4));
    CHECK(std::isnan(report.whole.noise_scale));
    CHECK(instruments.measure(whole(loss)).whole.distance == doctest::Approx(8 * lr));
  }
}

TEST_CASE("alpha of Lookahead is that of the whole update, with the pull") {
  Tensor w = weights({1});
  Optimizer optimizer({{"w", w}}, lookahead(sgd({.lr = 1.0}), {.k = 1, .alpha = 0.25}));
  Instruments instruments(optimizer);
  const auto loss = [&] { return bowl(w, {1}, {0}); };
  const InstrumentReport report = instruments.measure(whole(loss), [&] {
    optimizer.zero_grad();
    loss().backward();
    optimizer.step();
  });
  CHECK(report.alpha == doctest::Approx(-0.75));
  CHECK(report.whole.update_size == doctest::Approx(0.25));
}

TEST_CASE("noise from two unequal parts, by hand") {
  // Gradients (1, 0) of 2 examples and (0, 3) of 4: g = (1/3, 2), s = (4/3, 12), |G|^2 = 37/9 - 40/3 / 6 = 17/9.
  Tensor w = weights({0.5, -2e-3});
  Instruments instruments(NamedTensors{{"w", w}}, {.curvature = false, .snr_epsilon = 0});
  const auto linear = [&](double a, double b) {
    return [&w, a, b] { return sum(w * Tensor(Array::from({a, b}, {2}, DType::f64))); };
  };
  const InstrumentReport report = instruments.measure({{linear(1, 0), 2}, {linear(0, 3), 4}});
  const InstrumentValues& v = report.whole;
  CHECK(report.examples == 6);
  CHECK(v.gradient_norm == doctest::Approx(std::sqrt(37.0 / 9)));
  CHECK(v.variance == doctest::Approx(40.0 / 3));
  CHECK(v.noise_scale == doctest::Approx((40.0 / 3) / (17.0 / 9)));
  CHECK(v.signal_to_noise == doctest::Approx(6 * (17.0 / 9) / (40.0 / 3)));
  CHECK(v.mean_gsnr == doctest::Approx(((1.0 / 9) / (4.0 / 3) + 4.0 / 12) / 2));
  CHECK(std::isnan(v.trace));
  CHECK(std::isnan(report.sharpness.value));
  CHECK(v.gradients.counts[20] == 2);  // the zeros of both parts
  CHECK(v.gradients.counts[37] == 2);  // 1 and 3
  CHECK(v.gradients_weights.at(Histogram::bin_of(1.0 / 3), Histogram::bin_of(0.5)) == 1);
  CHECK(v.gradients_weights.at(Histogram::bin_of(2), Histogram::bin_of(-2e-3)) == 1);
}

TEST_CASE("the noise scale of known noise") {
  // Examples' gradients are N((0.3, 0, -0.4), diag(1, 4, 0.25)): tr(Sigma) / |G|^2 = 5.25 / 0.25 = 21.
  Tensor w = weights({0, 0, 0});
  Instruments instruments(NamedTensors{{"w", w}}, {.curvature = false});
  std::vector<BatchPart> parts;
  Generator generator(5);
  constexpr int kExamples = 20;  // a part: the mean of so many has a deviation of 1 / sqrt(20)
  for (int p = 0; p < 2000; ++p) {
    const double size = 1 / std::sqrt(static_cast<double>(kExamples));
    const double a = 0.3 + generator.normal() * size, b = 2 * generator.normal() * size,
                 c = -0.4 + 0.5 * generator.normal() * size;
    parts.push_back({[&w, a, b, c] { return sum(w * Tensor(Array::from({a, b, c}, {3}, DType::f64))); }, kExamples});
  }
  const InstrumentReport report = instruments.measure(parts);
  CHECK(report.whole.variance == doctest::Approx(5.25).epsilon(0.05));
  CHECK(report.whole.noise_scale == doctest::Approx(21).epsilon(0.06));
}

TEST_CASE("noise that leaves nothing of the gradient is an infinite noise scale") {
  Tensor w = weights({1});
  Instruments instruments(NamedTensors{{"w", w}}, {.curvature = false});
  const auto part = [&](double g) { return BatchPart{[&w, g] { return sum(w) * g; }, 8}; };
  const InstrumentReport report = instruments.measure({part(1), part(-1)});
  CHECK(std::isinf(report.whole.noise_scale));
  CHECK(report.whole.signal_to_noise == 0);
}

TEST_CASE("curvature and TIC of a diagonal quadratic, by parameter") {
  Tensor a = weights({1, 1}), b = weights({2});
  Instruments instruments(NamedTensors{{"a", a}, {"b", b}}, {.lanczos = {.tolerance = 1e-8}, .tic_damping = 0});
  const auto part = [&](double shift) {
    return BatchPart{[&a, &b, shift] { return bowl(a, {2, 4}, {shift, 0}) + bowl(b, {10}, {0}); }, 1};
  };
  const InstrumentReport report = instruments.measure({part(0.5), part(-0.5)});
  // Gradients: a (1, 4) and (3, 4), b 20: g = (2, 4, 20), s = (2, 0, 0).
  CHECK(report.sharpness.value == doctest::Approx(10));
  CHECK(report.whole.trace == doctest::Approx(16));
  CHECK(report.whole.trace_error == doctest::Approx(0));
  REQUIRE(report.parameters.size() == 2);
  CHECK(report.parameters[0].first == "a");
  CHECK(report.parameters[0].second.trace == doctest::Approx(6));
  CHECK(report.parameters[1].second.trace == doctest::Approx(10));
  CHECK(report.parameters[0].second.tic_diagonal == doctest::Approx((2 + 4) / 2.0 + 16 / 4.0));
  CHECK(report.parameters[1].second.tic_diagonal == doctest::Approx(400 / 10.0));
  CHECK(report.whole.tic_diagonal == doctest::Approx(3 + 4 + 40));
  CHECK(report.whole.tic_trace == doctest::Approx((6 + 16 + 400) / 16.0));
  CHECK(report.parameters[0].second.gradient_norm == doctest::Approx(std::sqrt(20.0)));
}

TEST_CASE("curvature of the first parts alone") {
  Tensor w = weights({1});
  const auto part = [&](double h) { return BatchPart{[&w, h] { return bowl(w, {h}, {0}); }, 2}; };
  const std::vector<BatchPart> parts = {part(1), part(3), part(8)};
  const auto measured = [&](int count) {
    return Instruments(NamedTensors{{"w", w}}, {.curvature_parts = count}).measure(parts);
  };
  CHECK(measured(0).whole.trace == doctest::Approx(4));
  CHECK(measured(1).whole.trace == doctest::Approx(1));
  CHECK(measured(2).sharpness.value == doctest::Approx(2));
  CHECK(measured(2).curvature_examples == 4);
  CHECK(measured(9).curvature_examples == 6);
  CHECK(measured(2).whole.gradient_norm == doctest::Approx(4));  // of all
  CHECK(message([&] { measured(-1); }) == "instruments: curvature_parts is -1, must be at least 0");
}

TEST_CASE("the variance of examples' gradients and their mean GSNR are PyTorch's") {
  const Safetensors golden = golden::load("curvature.safetensors");
  const NamedTensors w = {
      {"w1", numbers(0, {4, 3})}, {"b1", numbers(100, {4})}, {"w2", numbers(200, {3, 4})}, {"b2", numbers(300, {3})}};
  const Array x = numbers(1000, {6, 3}, false).value();
  const Array labels = Array::from(std::vector<std::int64_t>{0, 2, 1, 1, 0, 2}, {6});
  std::vector<BatchPart> parts;
  for (std::int64_t i = 0; i < 6; ++i) {
    parts.push_back({[&w, one = x.slice(0, i, i + 1), label = labels.slice(0, i, i + 1)] {
                       const Tensor hidden = tanh(linear(Tensor(one), w[0].tensor, w[1].tensor));
                       return cross_entropy(linear(hidden, w[2].tensor, w[3].tensor), Tensor(label));
                     },
                     1});
  }
  Instruments instruments(w, {.lanczos = {.iterations = 31, .tolerance = 1e-6}, .trace = {.samples = 400}});
  const InstrumentReport report = instruments.measure(parts);
  CHECK(report.whole.variance == doctest::Approx(golden::at(golden, "variance").item()).epsilon(1e-10));
  CHECK(report.whole.mean_gsnr == doctest::Approx(golden::at(golden, "mean_gsnr").item()).epsilon(1e-10));
  CHECK(report.sharpness.value == doctest::Approx(golden::at(golden, "largest").item()).epsilon(1e-6));
  CHECK(std::fabs(report.whole.trace - golden::at(golden, "trace").item()) < 3 * report.whole.trace_error);
  std::int64_t counted = 0;
  for (const std::int64_t count : report.whole.gradients.counts) counted += count;
  CHECK(counted == 6 * 31);
}

TEST_CASE("equal probes, so that a measurement is repeated exactly; another seed gives others") {
  Tensor w = weights({1, 2, 3}), data = numbers(7, {3, 3}, false);
  const auto loss = [&] { return sum(square(tanh(matmul(data, reshape(w, {3, 1}))))); };
  const auto measure = [&](std::uint64_t seed) {
    Instruments instruments(NamedTensors{{"w", w}},
                            {.lanczos = {.iterations = 1, .seed = seed}, .trace = {.seed = seed}});
    const InstrumentReport report = instruments.measure(whole(loss));
    return std::pair(report.whole.trace, report.sharpness.value);
  };
  CHECK(measure(0) == measure(0));
  CHECK(measure(0).second != measure(1).second);
}

TEST_CASE("a loss that is not finite has no curvature, and no alpha") {
  Tensor w = weights({1});
  Instruments instruments(NamedTensors{{"w", w}});
  const InstrumentReport report =
      instruments.measure(whole([&] { return sum(w) * std::numeric_limits<double>::infinity(); }), [] {});
  CHECK(std::isinf(report.loss));
  CHECK(std::isnan(report.sharpness.value));
  CHECK(std::isnan(report.alpha));
}

TEST_CASE("what is wrong is said") {
  Tensor w = weights({1});
  Instruments instruments(NamedTensors{{"w", w}});
  CHECK(message([&] { instruments.after_step(); }) == "instruments: after_step without before_step");
  CHECK(message([&] { instruments.measure({}); }) == "instruments: there is no part of a batch");
  CHECK(message([&] { instruments.measure(whole([&] { return sum(w); }, 0)); }) ==
        "instruments: a part of the batch has no loss or no examples");
  CHECK(message([&] {
          instruments.measure(whole([&] { return Tensor(Array::scalar(1)); }));
        }).find("instruments: the loss of a part is no recorded scalar") == 0);
  CHECK(message([&] {
          Instruments(NamedTensors{{"w", Tensor(Array::scalar(1))}});
        }) == "instruments: parameter \"w\" asks for no gradient");
  CHECK(message([&] { Instruments(NamedTensors{}); }) == "instruments: there are no parameters");
}
