// Ops made of products on f16 tensors: values and gradients are f16 and equal the rounded f64 ones, for numbers of
// which f32 holds every sum exactly.
#include "ops_helpers.h"

#include <functional>

using namespace tandem;
using namespace tandem::test;

namespace {

/// Whole numbers of [-24, 24], as an f16 leaf.
Tensor whole(Generator& g, const Shape& shape) {
  Array x = Array::empty(shape, DType::f64);
  for (std::int64_t i = 0; i < x.size(); ++i) x.data<double>()[i] = static_cast<double>(g.below(49)) - 24;
  return Tensor(x.to(DType::f16), true);
}

using Op = std::function<Tensor(const std::vector<Tensor>&)>;

bool equal_numbers(const Array& a, const Array& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && a.to_vector<double>() == b.to_vector<double>();
}

/// Value and gradients of f in f16 and f64, whose numbers are equal after rounding.
void compare(const Op& f, const std::vector<Tensor>& narrow, Generator& g) {
  std::vector<Tensor> wide;
  for (const Tensor& x : narrow) wide.emplace_back(x.value().to(DType::f64), true);
  const Tensor y = f(narrow), truth = f(wide);
  CHECK(y.dtype() == DType::f16);
  CHECK(equal_numbers(y.value(), truth.value().to(DType::f16)));
  const Array dy = whole(g, y.shape()).value();
  y.backward(dy);
  truth.backward(dy.to(DType::f64));
  for (std::size_t i = 0; i < narrow.size(); ++i) {
    CAPTURE(i);
    CHECK(narrow[i].grad().dtype() == DType::f16);
    CHECK(equal_numbers(narrow[i].grad(), wide[i].grad().to(DType::f16)));
  }
}

}  // namespace

TEST_CASE("f16: matmul and linear with their gradients") {
  Generator g(1);
  compare([](const auto& in) { return matmul(in[0], in[1]); }, {whole(g, {30, 200}), whole(g, {200, 20})}, g);
  compare([](const auto& in) { return matmul(in[0], in[1]); }, {whole(g, {3, 4, 50}), whole(g, {50, 6})}, g);
  compare([](const auto& in) { return matmul(in[0], in[1]); }, {whole(g, {3, 4, 50}), whole(g, {3, 50, 6})}, g);
  compare([](const auto& in) { return linear(in[0], in[1], in[2]); },
          {whole(g, {2, 15, 200}), whole(g, {20, 200}), whole(g, {20})}, g);
  compare([](const auto& in) { return linear_leaky_relu(in[0], in[1], in[2]); },
          {whole(g, {30, 200}), whole(g, {20, 200}), whole(g, {20})}, g);
}

TEST_CASE("f16: convolutions with their gradients") {
  Generator g(2);
  const Conv2dOptions options{.stride = 2, .padding = 1};
  const ConvTranspose2dOptions back{.stride = 2, .padding = 1};
  compare([&](const auto& in) { return conv2d(in[0], in[1], in[2], options); },
          {whole(g, {2, 32, 9, 9}), whole(g, {6, 32, 3, 3}), whole(g, {6})}, g);
  compare([&](const auto& in) { return conv2d_leaky_relu(in[0], in[1], in[2], options); },
          {whole(g, {2, 32, 9, 9}), whole(g, {6, 32, 3, 3}), whole(g, {6})}, g);
  compare([&](const auto& in) { return conv_transpose2d(in[0], in[1], in[2], back); },
          {whole(g, {2, 32, 5, 5}), whole(g, {32, 6, 3, 3}), whole(g, {6})}, g);
}

TEST_CASE("f16: gradients of gradients") {
  Generator g(3);
  const Tensor x = whole(g, {2, 3, 6, 6}), w = whole(g, {4, 3, 3, 3});
  const Tensor y = sum(conv2d(x, w, {.stride = 2}));
  const Tensor dx = grad({y}, {x}, {.create_graph = true})[0];
  const Tensor dw = grad({sum(dx)}, {w})[0];
  CHECK(dw.dtype() == DType::f16);
  check_values(dw, std::vector<double>(108, 8));  // two images of 2x2 places, each 1
}
