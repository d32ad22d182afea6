// Whole models in a bf16 scope: they train, parameters and gradients stay f32, the loss is near that of f32, second
// derivatives exist.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <memory>

#include <tandem/autograd/autocast.h>
#include <tandem/autograd/backward.h>
#include <tandem/autograd/hessian.h>
#include <tandem/autograd/ops.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/product/bf16_matmul.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/autoencoder.h>
#include <tandem/nn/models/gpt.h>
#include <tandem/nn/models/lstm_lm.h>
#include <tandem/nn/models/resnet.h>

using namespace tandem;

namespace {

Array random_ids(std::int64_t rows, std::int64_t columns, std::int64_t tokens) {
  Generator generator(2);
  Array ids = Array::empty({rows, columns}, DType::i64);
  for (std::int64_t i = 0; i < ids.size(); ++i) ids.data<std::int64_t>()[i] = generator.below(tokens);
  return ids;
}

/// The loss of a model in f32 and in a bf16 scope; there its gradients and a product with its Hessian.
void check_model(nn::Module& model, const std::function<Tensor()>& loss_of) {
  std::vector<Tensor> parameters;
  for (const NamedTensor& entry : model.parameters()) parameters.push_back(entry.tensor);
  const double wide = loss_of().item();
  const AutocastScope scope = autocast(DType::bf16);
  const Tensor loss = loss_of();
  CHECK(loss.dtype() == DType::f32);
  CHECK(loss.item() == doctest::Approx(wide).epsilon(0.02));
  CHECK((loss.item() != wide || !kernels::has_bf16_instructions()));
  loss.backward();
  for (const NamedTensor& entry : model.parameters()) {
    CAPTURE(entry.name);
    REQUIRE(entry.tensor.has_grad());
    CHECK(entry.tensor.grad().dtype() == DType::f32);
    CHECK(kernels::all_finite(entry.tensor.grad()));
  }
  const Hessian hessian(loss_of(), parameters);
  for (const Array& product : hessian.times(hessian.gradients())) {
    CHECK(product.dtype() == DType::f32);
    CHECK(kernels::all_finite(product));
  }
  for (const NamedTensor& entry : model.state_dict())
    if (is_floating(entry.tensor.dtype())) CHECK(entry.tensor.dtype() == DType::f32);
}

Array random_images(const Shape& shape) {
  Generator generator(3);
  Array images = Array::empty(shape, DType::f32, Layout::channels_last);
  generator.fill_uniform(images, 0, 1);
  return images;
}

}  // namespace

TEST_CASE("autocast: a residual network and an autoencoder") {
  nn::seed(1);
  const Array images = random_images({8, 3, 16, 16});
  nn::ResNet residual({.widths = {16, 32}, .blocks = 1, .shortcut = nn::Shortcut::projection});
  const Array labels = Array::from(std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7}, {8});
  check_model(residual, [&] { return cross_entropy(residual(images), labels); });
  nn::ConvAutoencoder autoencoder({.widths = {8, 16, 16}, .code = 8});
  check_model(autoencoder, [&] { return mse_loss(autoencoder(images), images); });
}

TEST_CASE("autocast: language models") {
  nn::seed(1);
  const Array ids = random_ids(6, 4, 20);
  const auto loss_of = [&ids](nn::Module& model) {
    return cross_entropy(flatten(model(ids), 0, 1), Tensor(ids.reshape({ids.size()})));
  };
  nn::LstmLanguageModel recurrent({.tokens = 20, .width = 32, .hidden = {32, 32}});
  check_model(recurrent, [&] { return loss_of(recurrent); });
  nn::Gpt transformer({.tokens = 20, .width = 32, .heads = 2, .layers = 2, .feedforward = 64, .positions = 8});
  check_model(transformer, [&] { return loss_of(transformer); });
}
