// Initialisers: fans, variances and bounds against their formulas, orthogonality, seeds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include <tandem/nn/conv2d.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/resnet.h>

#include "nn/error_text.h"

using namespace tandem;
namespace init = tandem::nn::init;

namespace {

struct Moments {
  double mean = 0, variance = 0, largest = 0;
};

Moments moments(const Tensor& w) {
  const std::vector<double> values = w.value().to_vector<double>();
  Moments m;
  for (const double v : values) m.mean += v / static_cast<double>(values.size());
  for (const double v : values) {
    m.variance += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
    m.largest = std::max(m.largest, std::abs(v));
  }
  return m;
}

// 64 outputs, 32 inputs of 3x3: fan in 288, fan out 576; 18,432 numbers.
Tensor weight() { return Tensor(Array::empty({64, 32, 3, 3})); }

}  // namespace

TEST_CASE("init: fans") {
  CHECK(init::fans({10, 64}).in == 64);
  CHECK(init::fans({10, 64}).out == 10);
  CHECK(init::fans({64, 32, 3, 3}).in == 288);
  CHECK(init::fans({64, 32, 3, 3}).out == 576);
  CHECK(error_text([] { init::fans({64}); }) ==
        "init: a weight without inputs and outputs has no fans: w [64]; give init::uniform a bound");
}

TEST_CASE("init: variances and bounds are those of the papers") {
  Generator g(11);
  const auto check = [&](const std::function<void(Tensor)>& fill, double variance, bool is_uniform) {
    Tensor w = weight();
    const std::uint64_t version = w.value().version();
    fill(w);
    const Moments m = moments(w);
    CHECK(w.value().version() > version);
    CHECK(m.mean == doctest::Approx(0).epsilon(1).scale(0.03 * std::sqrt(variance)));
    CHECK(m.variance == doctest::Approx(variance).epsilon(0.04));
    if (is_uniform) CHECK(m.largest <= std::sqrt(3 * variance));
    if (is_uniform) CHECK(m.largest > 0.99 * std::sqrt(3 * variance));
  };
  check([&](Tensor w) { init::kaiming_normal(w, {}, g); }, 2.0 / 288, false);
  check([&](Tensor w) { init::kaiming_normal(w, {.fan = init::Fan::out}, g); }, 2.0 / 576, false);
  check([&](Tensor w) { init::kaiming_uniform(w, {.gain = 1}, g); }, 1.0 / 288, true);
  check([&](Tensor w) { init::xavier_normal(w, {}, g); }, 2.0 / (288 + 576), false);
  check([&](Tensor w) { init::xavier_uniform(w, {.gain = 2}, g); }, 4 * 2.0 / (288 + 576), true);
  check([&](Tensor w) { init::pytorch_default(w, {}, g); }, 1.0 / (3 * 288), true);
  check([&](Tensor w) { init::uniform(w, -2, 2, g); }, 4.0 / 3, true);
  check([&](Tensor w) { init::normal(w, 0, 3, g); }, 9, false);
  CHECK(init::leaky_relu_gain(0) == doctest::Approx(init::kReluGain));
  CHECK(init::leaky_relu_gain(1) == doctest::Approx(1));
}

TEST_CASE("init: orthogonal rows, or columns where there are more rows") {
  Generator g(4);
  for (const Shape& shape : {Shape{6, 20}, Shape{20, 6}, Shape{8, 2, 2, 2}}) {
    CAPTURE(shape.to_string());
    Tensor w(Array::empty(shape, DType::f64));
    init::orthogonal(w, {.gain = 2}, g);
    const std::int64_t rows = shape[0], columns = shape.count() / rows;
    const std::vector<double> m = w.value().to_vector<double>();
    const bool by_rows = rows <= columns;
    const std::int64_t count = by_rows ? rows : columns, length = by_rows ? columns : rows;
    for (std::int64_t a = 0; a < count; ++a) {
      for (std::int64_t b = 0; b < count; ++b) {
        double dot = 0;
        for (std::int64_t k = 0; k < length; ++k) {
          dot += by_rows ? m[static_cast<std::size_t>(a * columns + k)] * m[static_cast<std::size_t>(b * columns + k)]
                         : m[static_cast<std::size_t>(k * columns + a)] * m[static_cast<std::size_t>(k * columns + b)];
        }
        CHECK(std::abs(dot - (a == b ? 4 : 0)) < 1e-12);
      }
    }
  }
  Tensor bias(Array::empty({3}));
  CHECK(error_text([&] { init::orthogonal(bias, {}, g); }).rfind("init: ", 0) == 0);
}

TEST_CASE("init: constant") {
  Tensor w(Array::empty({3}));
  init::constant(w, 0.5);
  CHECK(w.value().to_vector<double>() == std::vector<double>(3, 0.5));
}

TEST_CASE("init: the same seed gives the same model, another seed another") {
  nn::seed(7);
  const NamedTensors a = nn::resnet20()->state_dict();
  const NamedTensors continued = nn::resnet20()->state_dict();
  nn::seed(7);
  const NamedTensors b = nn::resnet20()->state_dict();
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(identical(a[i].tensor.value(), b[i].tensor.value()));
  CHECK_FALSE(identical(a[0].tensor.value(), continued[0].tensor.value()));
}

TEST_CASE("init: Conv2d and Linear start as PyTorch's") {
  nn::seed(2);
  nn::Conv2d conv({.in = 32, .out = 64});
  const double bound = 1 / std::sqrt(288.0);
  CHECK(moments(conv.weight).largest <= bound);
  CHECK(moments(conv.weight).largest > 0.99 * bound);
  CHECK(moments(conv.bias).largest <= bound);
  CHECK(moments(conv.bias).largest > 0.8 * bound);
}
