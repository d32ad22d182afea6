// Linear, Conv2d, activations, pooling, Flatten, Sequential: hand values, descriptions, refused options.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/flatten.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/pool2d.h>
#include <tandem/nn/sequential.h>

#include "nn/error_text.h"

using namespace tandem;
using nn::layer;

namespace {

using Values = std::vector<double>;

Values values(const Tensor& t) { return t.value().to_vector<double>(); }

void near(const Tensor& y, const Values& expected) {
  const Values got = values(y);
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

}  // namespace

TEST_CASE("linear: hand values") {
  nn::Linear model({.in = 3, .out = 2});
  model.load_state_dict({{"weight", Tensor({1, 2, 3, -1, 0, 1}, {2, 3})}, {"bias", Tensor({10, 20}, {2})}});
  const Tensor y = model(Tensor({1, 1, 1, 2, 0, -1}, {2, 3}));
  CHECK(y.shape() == Shape{2, 2});
  CHECK(values(y) == Values{16, 20, 9, 17});
  CHECK(model.describe() == "Linear(3 -> 2)");
  CHECK(nn::Linear({.in = 3, .out = 2, .bias = false}).describe() == "Linear(3 -> 2, no bias)");
  CHECK(nn::Linear({.in = 3, .out = 2, .bias = false}).parameters().size() == 1);
  CHECK(error_text([] { nn::Linear({.in = 0, .out = 2}); }) == "Linear: in and out must be at least 1: in 0, out 2");
}

TEST_CASE("conv2d: hand values") {
  nn::Conv2d model({.in = 1, .out = 1, .kernel = 2});
  model.load_state_dict({{"weight", Tensor({1, 0, 0, -1}, {1, 1, 2, 2})}, {"bias", Tensor({0.5}, {1})}});
  const Tensor y = model(Tensor({1, 2, 3, 4, 5, 6, 7, 8, 10}, {1, 1, 3, 3}));
  CHECK(y.shape() == Shape{1, 1, 2, 2});
  CHECK(values(y) == Values{1 - 5 + .5, 2 - 6 + .5, 4 - 8 + .5, 5 - 10 + .5});
}

TEST_CASE("conv2d: options reach the op") {
  const nn::Conv2d::Options options{
      .in = 4, .out = 6, .kernel = {3, 1}, .stride = 2, .padding = {1, 0}, .dilation = 2, .groups = 2, .bias = false};
  nn::Conv2d model(options);
  CHECK(model.weight.shape() == Shape{6, 2, 3, 1});
  CHECK_FALSE(model.bias.defined());
  CHECK(model.describe() == "Conv2d(4 -> 6, kernel 3x1, stride 2, padding 1x0, dilation 2, groups 2, no bias)");
  Array x = Array::empty({2, 4, 9, 8});
  Generator(5).fill_normal(x);
  const Tensor y = model(x);
  CHECK(y.shape() == Shape{2, 6, 4, 4});
  CHECK(identical(y.value(),
                  conv2d(x, model.weight, {.stride = 2, .padding = {1, 0}, .dilation = 2, .groups = 2}).value()));
  CHECK(model.multiply_adds(x.shape(), y.shape()) == 2 * 6 * 4 * 4 * 2 * 3);
}

TEST_CASE("conv2d: options that make no sense are refused") {
  CHECK(error_text([] { nn::Conv2d({.in = 3, .out = 0}); }) == "Conv2d: in and out must be at least 1: in 3, out 0");
  CHECK(error_text([] { nn::Conv2d({.in = 3, .out = 4, .groups = 2}); }) ==
        "Conv2d: groups must divide in and out: in 3, out 4, groups 2");
  CHECK(error_text([] { nn::Conv2d({.in = 3, .out = 4, .kernel = 0}); }) ==
        "Conv2d: kernel must be at least 1: kernel 0x0");
  CHECK(error_text([] {
          nn::Conv2d({.in = 3, .out = 4, .stride = {1, 0}});
        }) == "Conv2d: stride must be at least 1: stride 1x0");
  CHECK(error_text([] { nn::Conv2d({.in = 3, .out = 4, .dilation = 0}); }) ==
        "Conv2d: dilation must be at least 1: dilation 0x0");
  CHECK(error_text([] { nn::Conv2d({.in = 3, .out = 4, .padding = -1}); }) ==
        "Conv2d: padding must be at least 0: padding -1x-1");
}

TEST_CASE("activations: hand values") {
  const Tensor x({-1, 0, 2}, {3});
  near(nn::ReLU()(x), {0, 0, 2});
  near(nn::LeakyReLU()(x), {-0.01, 0, 2});
  near(nn::LeakyReLU({.slope = 0.5})(x), {-0.5, 0, 2});
  near(nn::ELU()(x), {std::exp(-1.0) - 1, 0, 2});
  near(nn::ELU({.alpha = 2})(x), {2 * std::exp(-1.0) - 2, 0, 2});
  near(nn::GELU()(x), {-0.15865525, 0, 1.9544997});
  near(nn::SiLU()(x), {-1 / (1 + std::exp(1.0)), 0, 2 / (1 + std::exp(-2.0))});
  near(nn::Sigmoid()(x), {1 / (1 + std::exp(1.0)), 0.5, 1 / (1 + std::exp(-2.0))});
  near(nn::Tanh()(x), {std::tanh(-1.0), 0, std::tanh(2.0)});
  near(nn::Softplus()(x), {std::log1p(std::exp(-1.0)), std::log(2.0), std::log1p(std::exp(2.0))});
  CHECK(nn::ReLU().describe() == "ReLU");
  CHECK(nn::LeakyReLU({.slope = 0.5}).describe() == "LeakyReLU(slope 0.5)");
  CHECK(nn::ELU().describe() == "ELU(alpha 1)");
}

TEST_CASE("pooling: hand values") {
  const Tensor x({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, {1, 1, 4, 4});
  near(nn::MaxPool2d({.kernel = 2})(x), {6, 8, 14, 16});
  near(nn::MaxPool2d({.kernel = 3, .stride = 2, .padding = 1})(x), {6, 8, 14, 16});
  near(nn::AveragePool2d({.kernel = 2})(x), {3.5, 5.5, 11.5, 13.5});
  const Tensor y = nn::GlobalAveragePool2d()(x);
  CHECK(y.shape() == Shape{1, 1});
  near(y, {8.5});
  CHECK(nn::MaxPool2d({.kernel = 3, .stride = 2, .padding = 1}).describe() ==
        "MaxPool2d(kernel 3x3, stride 2, padding 1)");
  CHECK(nn::AveragePool2d({.kernel = 2}).describe() == "AveragePool2d(kernel 2x2)");
  CHECK(error_text([] { nn::MaxPool2d({.kernel = 0}); }) == "MaxPool2d: kernel must be at least 1: kernel 0x0");
  CHECK(error_text([] { nn::MaxPool2d({.kernel = 2, .stride = -1}); }) ==
        "MaxPool2d: stride must be at least 0: stride -1x-1; 0 is the kernel");
  CHECK(error_text([] { nn::AveragePool2d({.kernel = 2, .padding = 2}); }) ==
        "AveragePool2d: padding must be from 0 to half the kernel: padding 2x2, kernel 2x2");
}

TEST_CASE("flatten: logical order, whatever the layout") {
  const Array x = Array::arange(24).to(DType::f32).reshape({2, 3, 2, 2});
  const Tensor plain = nn::Flatten()(x), last = nn::Flatten()(x.to_layout(Layout::channels_last));
  CHECK(plain.shape() == Shape{2, 12});
  CHECK(identical(plain.value(), last.value()));
  CHECK(values(plain)[1] == 1);
  CHECK(nn::Flatten({.begin = 2})(x).shape() == Shape{2, 3, 4});
}

TEST_CASE("sequential: layers in order, by number or name") {
  nn::Sequential model;
  const Tensor x({1, -2}, {1, 2});
  CHECK(identical(model(x).value(), x.value()));
  const auto first = layer<nn::Linear>({.in = 2, .out = 2, .bias = false});
  nn::init::constant(first->weight, -1);
  model.add(first).add("act", layer<nn::ReLU>());
  CHECK(values(model(x)) == Values{1, 1});
  CHECK(model.size() == 2);
  CHECK(&model[0] == first.get());
  CHECK(model.children()[1].name == "act");
  CHECK(error_text([&] { model.add("act", layer<nn::ReLU>()); }) == "Sequential: the name \"act\" is registered twice");
  CHECK(model.size() == 2);
  CHECK(error_text([&] { model.add(nullptr); }) == "Sequential: layer \"2\" is an empty pointer");
  CHECK(error_text([&] { model[5]; }) == "Sequential: there is no layer 5: 2 layers");
}
