// gradcheck of modules: passes where the gradient is right, fails where it is not, and leaves everything as it was.
#include <doctest/doctest.h>

#include <vector>

#include <tandem/autograd/gradcheck.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/generator.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/clone.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/embedding.h>
#include <tandem/nn/flatten.h>
#include <tandem/nn/gradcheck.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>
#include <tandem/optim/optimizer.h>
#include <tandem/optim/sgd.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

Array noise(const Shape& shape) {
  Array x = Array::empty(shape);
  Generator(3).fill_normal(x);
  return x;
}

/// Forgets half of the gradient of its scale: x * scale, the second factor without history.
struct Wrong : nn::Module {
  Tensor scale;
  Wrong() { scale = parameter("scale", Tensor({2, 3}, {2})); }
  Tensor forward(const Tensor& x) override { return x * scale * scale.detach(); }
};

}  // namespace

TEST_CASE("gradcheck of a model: input and every parameter, frozen ones too, and nothing is changed") {
  nn::seed(2);
  nn::Sequential model{nn::layer<nn::Conv2d>({.in = 2, .out = 3, .kernel = 3, .padding = 1}),
                       nn::layer<nn::BatchNorm2d>({.channels = 3}),
                       nn::layer<nn::Tanh>(),
                       nn::layer<nn::Flatten>(),
                       nn::layer<nn::Dropout>({.p = 0.3}),
                       nn::layer<nn::Linear>({.in = 27, .out = 2})};
  const Array x = noise({2, 2, 3, 3});
  model[0].freeze();
  const Optimizer optimizer(model.parameters(), sgd({.lr = 0.1}));
  sum(model(x)).backward();
  const auto before = nn::clone(model);
  const Array gradient = model.parameters().back().tensor.grad().clone();

  const GradcheckResult result = nn::gradcheck(model, x);
  INFO(result.to_string());
  CHECK(result);
  std::vector<std::string> names;
  for (const GradcheckInput& input : result.inputs) names.push_back(input.name);
  CHECK(names == std::vector<std::string>{"x", "0.weight", "0.bias", "1.weight", "1.bias", "5.weight", "5.bias"});

  const NamedTensors now = model.state_dict(), then = before->state_dict();
  for (std::size_t i = 0; i < now.size(); ++i) {
    CHECK(identical(now[i].tensor.value(), then[i].tensor.value()));
    CHECK(now[i].tensor.requires_grad() == then[i].tensor.requires_grad());
  }
  CHECK(identical(model.random_state()[0].tensor.value(), before->random_state()[0].tensor.value()));
  CHECK(identical(model.parameters().back().tensor.grad(), gradient));
  CHECK(model.parameters().back().tensor.state()->owner != nullptr);
}

TEST_CASE("gradcheck of a model: tied parameters count once, by the sum over their places") {
  nn::seed(4);
  const auto shared = nn::layer<nn::Linear>({.in = 3, .out = 3});
  nn::Sequential model{shared, nn::layer<nn::Sigmoid>(), shared};
  const GradcheckResult result = nn::gradcheck(model, noise({2, 3}));
  CHECK(result);
  CHECK(result.inputs.size() == 3);
}

TEST_CASE("gradcheck of a model: ids are handed through") {
  nn::seed(4);
  nn::Embedding embedding({.tokens = 4, .width = 2});
  const GradcheckResult result = nn::gradcheck(embedding, Array::from(std::vector<std::int64_t>{1, 3, 1}, {3}));
  CHECK(result);
  CHECK(result.inputs.size() == 1);
  CHECK(result.inputs[0].analytic.at({1, 0}) != 0);
  CHECK(result.inputs[0].analytic.at({0, 0}) == 0);
}

TEST_CASE("gradcheck of a model: a wrong gradient is found and named") {
  Wrong model;
  const GradcheckResult result = nn::gradcheck(model, noise({3, 2}));
  CHECK_FALSE(result);
  CHECK(result.inputs[0].passed());
  CHECK(result.inputs[1].name == "scale");
  CHECK(result.inputs[1].failures == 2);
  CHECK(result.inputs[1].worst_numeric == doctest::Approx(2 * result.inputs[1].worst_analytic));
  CHECK(model.scale.dtype() == DType::f32);
}

TEST_CASE("gradcheck of a model: errors leave it as it was") {
  nn::Linear model({.in = 2, .out = 2});
  const Array before = model.weight.value().clone();
  CHECK(error_text([&] { nn::gradcheck(model, noise({1, 3})); }).find("x has 3 features") != std::string::npos);
  CHECK(error_text([&] {
          nn::gradcheck(model, noise({1, 2}), {.second_order = true});
        }) ==
        "gradcheck: a model is checked in the first order only; tandem::gradcheck checks functions in both orders");
  CHECK(identical(model.weight.value(), before));
  CHECK(model.weight.dtype() == DType::f32);
}

TEST_CASE("gradcheck of leaves: what it takes, and values put back when the function throws") {
  const Tensor w(Array::full({2}, 3, DType::f64), true);
  CHECK(gradcheck_leaves([&] { return w * w; }, {{"w", w}}));
  CHECK(error_text([&] { gradcheck_leaves([&] { return w * w; }, {}); }) == "gradcheck: there is no leaf to check");
  const Tensor plain(Array::full({2}, 3), true);
  CHECK(error_text([&] {
          gradcheck_leaves([&] { return plain; }, {{"p", plain}});
        }) == "gradcheck: \"p\" must be an f64 leaf that asks for a gradient");
  int calls = 0;
  CHECK_THROWS_AS(gradcheck_leaves(
                      [&] {
                        if (++calls == 4) fail("f", "no more");
                        return w * w;
                      },
                      {{"w", w}}),
                  Error);
  CHECK(w.value().to_vector<double>() == std::vector<double>{3, 3});
}
