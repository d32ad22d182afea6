// GPT and what it is made of beside the Transformer's layers: RMSNorm, GLU, SwiGLU, Identity.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/clone.h>
#include <tandem/nn/gradcheck.h>
#include <tandem/nn/init.h>
#include <tandem/nn/layer_norm.h>
#include <tandem/nn/models/gpt.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/rms_norm.h>
#include <tandem/nn/swiglu.h>
#include <tandem/optim/adam.h>
#include <tandem/optim/optimizer.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

using Values = std::vector<double>;
Values values(const Tensor& x) { return x.value().to_vector<double>(); }

Tensor normal(const Shape& shape, std::uint64_t seed) {
  Array x = Array::empty(shape);
  Generator(seed).fill_normal(x);
  return x;
}

}  // namespace

TEST_CASE("rms norm: hand values; the layer norm of what has mean 0; gradients") {
  nn::RMSNorm norm({.width = 2, .epsilon = 0.5});
  norm.load_state_dict({{"weight", Tensor({1, 10}, {2})}});
  const Values y = values(norm(Tensor({3, 1, 0, 0}, {2, 2})));  // mean of squares 5: sqrt(5.5)
  const Values expected{3 / std::sqrt(5.5), 10 / std::sqrt(5.5), 0, 0};
  for (std::size_t i = 0; i < 4; ++i) CHECK(y[i] == doctest::Approx(expected[i]));

  const Tensor half = normal({5, 4}, 1), x = cat({half, -half}, 1);
  const Values rms = values(nn::RMSNorm({.width = 8})(x)), layer = values(nn::LayerNorm({.width = 8})(x));
  for (std::size_t i = 0; i < rms.size(); ++i) CHECK(rms[i] == doctest::Approx(layer[i]).epsilon(1e-5));

  nn::RMSNorm wide({.width = 6});
  CHECK(nn::gradcheck(wide, normal({2, 3, 6}, 2)).passed());
  CHECK(nn::RMSNorm({.width = 4, .affine = false}).parameters().empty());
  CHECK(wide.describe() == "RMSNorm(6)");
  CHECK(error_text([] { nn::RMSNorm({.width = 0}); }) == "RMSNorm: width must be at least 1: 0 given");
  CHECK(error_text([] { nn::RMSNorm({.width = 1, .epsilon = 0}); }) == "RMSNorm: epsilon must be positive: 0 given");
  CHECK(error_text([&] { wide(normal({2, 3}, 1)); }) == "RMSNorm(6): rms_norm: the last dim of x must be 6: x [2, 3]");
}

TEST_CASE("gates: hand values, gradients, refused shapes") {
  const double half = 1 / (1 + std::exp(-1.0));
  const Values y = values(nn::GLU()(Tensor({2, 3, 0, 1}, {1, 4})));
  CHECK(y[0] == doctest::Approx(1));
  CHECK(y[1] == doctest::Approx(3 * half));
  CHECK(nn::GLU({.dim = 1})(normal({2, 4, 3}, 1)).shape() == Shape{2, 2, 3});
  CHECK(nn::GLU({.dim = 1}).describe() == "GLU(dim 1)");
  CHECK(error_text([] { nn::GLU()(normal({2, 3}, 1)); }) == "GLU(dim -1): glu: dim -1 must be even: x [2, 3]");

  nn::seed(1);
  nn::SwiGLU gated({.width = 1, .hidden = 1});
  gated.load_state_dict(
      {{"gate.weight", Tensor({1}, {1, 1})}, {"up.weight", Tensor({3}, {1, 1})}, {"down.weight", Tensor({5}, {1, 1})}});
  CHECK(gated(Array::full({1, 1}, 1)).item() == doctest::Approx(half * 3 * 5));
  nn::SwiGLU wide({.width = 4, .hidden = 6, .bias = true});
  CHECK(nn::gradcheck(wide, normal({2, 3, 4}, 2)).passed());
  CHECK(wide.describe() == "SwiGLU(4, hidden 6)");
  CHECK(wide.parameter_count() == 3 * 24 + 6 + 6 + 4);
  CHECK(identical(nn::clone(wide)->state_dict()[0].tensor.value(), wide.state_dict()[0].tensor.value()));

  const Tensor x = normal({2, 2}, 3);
  nn::Identity identity;
  CHECK(identity(x).state() == x.state());
  CHECK(identity.describe() == "Identity");
}

TEST_CASE("gpt: sizes, GPT-2's start, and a token sees those up to itself alone") {
  nn::seed(1);
  const auto model = nn::make_model("gpt", {{"tokens", 65}});
  CHECK(model->describe() == "Gpt(65 tokens, width 128, 4 heads, 4 layers, 64 positions)");
  const std::int64_t layer = 4 * 128 * 128 + 4 * 128 + 2 * 128 * 512 + 512 + 128 + 4 * 128;
  CHECK(model->parameter_count() == 65 * 128 + 64 * 128 + 4 * layer + 2 * 128);
  const auto deviation = [&](const char* pattern) {
    const Tensor w = nn::parameters(*model, pattern).matching.front().tensor;
    return std::sqrt(mean(square(w)).item());
  };
  CHECK(deviation("embedding.weight") == doctest::Approx(0.02).epsilon(0.03));
  CHECK(deviation("layers.3.self_attn.in_proj_weight") == doctest::Approx(0.02).epsilon(0.03));
  CHECK(deviation("layers.3.linear2.weight") == doctest::Approx(0.02 / std::sqrt(8.0)).epsilon(0.03));
  CHECK(deviation("layers.0.linear1.bias") == 0);

  model->evaluate();
  const Tensor a(Array::from(std::vector<std::int64_t>{1, 2, 3, 4}, {1, 4}));
  const Tensor b(Array::from(std::vector<std::int64_t>{1, 2, 9, 4}, {1, 4}));
  const Tensor ya = (*model)(a), yb = (*model)(b);
  CHECK(ya.shape() == Shape{1, 4, 65});
  CHECK(values(slice(ya, 1, 0, 2)) == values(slice(yb, 1, 0, 2)));
  CHECK(values(slice(ya, 1, 2, 3)) != values(slice(yb, 1, 2, 3)));
  CHECK(values(slice(ya, 1, 3, 4)) != values(slice(yb, 1, 3, 4)));

  CHECK(error_text([&] { (*model)(Array::zeros({4}, DType::i64)); }).find("Gpt: ids must be [B, T]: ids [4]") !=
        std::string::npos);
  CHECK(error_text([&] {
          (*model)(Array::zeros({1, 65}, DType::i64));
        }).find("longer than the 64 positions") != std::string::npos);
  CHECK(error_text([] { nn::Gpt({.tokens = 5, .layers = 0}); }) == "Gpt: layers must be at least 1: 0 given");
}

TEST_CASE("gpt: gradients, and it learns a text by heart") {
  nn::seed(2);
  nn::Gpt small({.tokens = 5, .width = 4, .heads = 2, .layers = 1, .feedforward = 6, .positions = 4});
  CHECK(nn::gradcheck(small, Tensor(Array::from(std::vector<std::int64_t>{0, 3, 4, 1, 1, 2}, {2, 3}))).passed());

  nn::Gpt model({.tokens = 8, .width = 16, .heads = 2, .layers = 2, .feedforward = 32, .positions = 12});
  const std::vector<std::int64_t> text{3, 1, 4, 1, 5, 0, 2, 6, 5, 3, 5, 7, 7};
  const Tensor x(Array::from(std::vector<std::int64_t>(text.begin(), text.end() - 1), {1, 12}));
  const Tensor next(Array::from(std::vector<std::int64_t>(text.begin() + 1, text.end()), {12}));
  Optimizer optimizer(model.parameters(), adam({.lr = 0.02}));
  double loss = 0;
  for (int step = 0; step < 120; ++step) {
    const Tensor l = cross_entropy(reshape(model(x), {12, 8}), next);
    optimizer.zero_grad();
    l.backward();
    optimizer.step();
    loss = l.item();
  }
  CHECK(loss < 0.1);
}
