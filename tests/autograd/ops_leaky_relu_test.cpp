// Ops with a leaky ReLU in the same call: value and gradients are those of the two ops, and of slopes that an output
// cannot tell, an error.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include <tandem/autograd/autocast.h>
#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>

using namespace tandem;

namespace {

using Op = std::function<Tensor(const Tensor& x, const Tensor& w, const Tensor& b)>;

void check_near(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    CHECK(a[i].dtype() == b[i].dtype());
    const std::vector<double> u = a[i].value().to_vector<double>(), v = b[i].value().to_vector<double>();
    double size = 0, worst = 0;
    for (std::size_t j = 0; j < u.size(); ++j) {
      size = std::max(size, std::fabs(v[j]));
      worst = std::max(worst, std::fabs(u[j] - v[j]));
    }
    CHECK(worst <= 1e-6 * size);
  }
}

void compare(const Op& one, const Op& two, const Shape& x_shape, const Shape& w_shape, const Shape& b_shape) {
  Generator g(1);
  std::vector<Tensor> inputs;
  for (const Shape& shape : {x_shape, w_shape, b_shape}) {
    Array a = Array::empty(shape);
    g.fill_normal(a);
    inputs.push_back(Tensor(a).set_requires_grad(true));
  }
  const auto results = [&](const Op& op) {
    const Tensor y = op(inputs[0], inputs[1], inputs[2]);
    std::vector<Tensor> all = grad({sum(square(y))}, inputs);
    all.push_back(y);
    return all;
  };
  check_near(results(one), results(two));
  const auto before = graph_stats();
  const Tensor y = one(inputs[0], inputs[1], inputs[2]);
  CHECK(graph_stats().nodes == before.nodes + 1);
}

}  // namespace

TEST_CASE("leaky ReLU in the same call as a convolution or a linear map") {
  for (const double slope : {0.0, 0.25}) {
    CAPTURE(slope);
    compare([&](auto& x, auto& w, auto& b) { return conv2d_leaky_relu(x, w, b, {.stride = 2, .padding = 1}, slope); },
            [&](auto& x, auto& w, auto& b) { return leaky_relu(conv2d(x, w, b, {.stride = 2, .padding = 1}), slope); },
            {4, 16, 9, 9}, {24, 16, 3, 3}, {24});
    compare([&](auto& x, auto& w, auto& b) { return conv_transpose2d_leaky_relu(x, w, b, {.stride = 2}, slope); },
            [&](auto& x, auto& w, auto& b) { return leaky_relu(conv_transpose2d(x, w, b, {.stride = 2}), slope); },
            {4, 16, 5, 5}, {16, 8, 4, 4}, {8});
    compare([&](auto& x, auto& w, auto& b) { return linear_leaky_relu(x, w, b, slope); },
            [&](auto& x, auto& w, auto& b) { return leaky_relu(linear(x, w, b), slope); }, {40, 30}, {50, 30}, {50});
  }
}

TEST_CASE("under autocast they give what the two ops give, and gradients in the dtypes of weights") {
  Generator g(2);
  const auto leaf = [&](const Shape& shape) {
    Array a = Array::empty(shape);
    g.fill_normal(a);
    return Tensor(a).set_requires_grad(true);
  };
  const auto check = [](const Op& one, const Op& two, const std::vector<Tensor>& in) {
    const auto results = [&](const Op& op) {
      Tensor y;
      {
        const AutocastScope scope = autocast(DType::bf16);
        y = op(in[0], in[1], in[2]);
      }
      std::vector<Tensor> all = grad({sum(y)}, in);
      all.push_back(y);
      return all;
    };
    check_near(results(one), results(two));
  };
  const std::vector<Tensor> image{leaf({4, 16, 9, 9}), leaf({24, 16, 3, 3}), leaf({24})};
  check([](auto& x, auto& w, auto& b) { return conv2d_leaky_relu(x, w, b, {.padding = 1}); },
        [](auto& x, auto& w, auto& b) { return relu(conv2d(x, w, b, {.padding = 1})); }, image);
  check([](auto& x, auto& w, auto& b) { return conv_transpose2d_leaky_relu(x, w, b, {.stride = 2}); },
        [](auto& x, auto& w, auto& b) { return relu(conv_transpose2d(x, w, b, {.stride = 2})); },
        {leaf({4, 16, 5, 5}), leaf({16, 8, 4, 4}), leaf({8})});
  check([](auto& x, auto& w, auto& b) { return linear_leaky_relu(x, w, b); },
        [](auto& x, auto& w, auto& b) { return relu(linear(x, w, b)); }, {leaf({40, 30}), leaf({50, 30}), leaf({50})});
}

TEST_CASE("a slope below 0 is an error") {
  const Tensor x({1, 2}, {1, 2}), w({1, 2}, {1, 2});
  CHECK_THROWS_WITH_AS(linear_leaky_relu(x, w, {}, -0.5),
                       "linear_leaky_relu: slope is -0.5, must be at least 0; use leaky_relu", Error);
}
