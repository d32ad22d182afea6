// ConvAutoencoder and ConvVae: shapes, the size of the bottleneck, training against evaluation, the evidence lower
// bound by hand, and that a few steps make it better. Ten steps beside PyTorch's: golden_test.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/autoencoder.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/models/vae.h>
#include <tandem/nn/summary.h>
#include <tandem/optim/adam.h>
#include <tandem/optim/optimizer.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

/// Soft stripes: images in [0, 1] that a few numbers describe.
Array stripes(std::int64_t images, std::int64_t channels, std::int64_t size) {
  Array x = Array::empty({images, channels, size, size}, DType::f32, Layout::channels_last);
  for (std::int64_t n = 0; n < images; ++n)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t i = 0; i < size; ++i)
        for (std::int64_t j = 0; j < size; ++j)
          x.set({n, c, i, j},
                0.5 + 0.4 * std::sin(0.2 * static_cast<double>((n + 1) * i + c) + 0.3 * static_cast<double>(j)));
  return x;
}

bool within_unit(const Array& x) { return kernels::min(x).item() >= 0 && kernels::max(x).item() <= 1; }

}  // namespace

TEST_CASE("autoencoder: the code holds an eighth of the numbers, at any size in multiples of 8") {
  nn::seed(0);
  nn::ConvAutoencoder model;
  for (const Shape& shape : {Shape{2, 3, 64, 64}, Shape{1, 3, 32, 48}}) {
    const Tensor x(Array::zeros(shape));
    const Tensor z = model.encode(x);
    CHECK(z.shape() == Shape{shape[0], 24, shape[2] / 8, shape[3] / 8});
    CHECK(8 * z.size() == x.size());
    CHECK(model.decode(z).shape() == shape);
    CHECK(identical(model(x).value(), model.decode(z).value()));
  }
  CHECK(error_text([&] {
          model(Array::zeros({1, 3, 64, 60}));
        }) == model.describe() + ": encode: height and width must be multiples of 8: x [1, 3, 64, 60]");
  CHECK(error_text([] { nn::ConvAutoencoder({.widths = {}}); }) ==
        "ConvAutoencoder: channels, widths and code must be at least 1: channels 3, widths [], code 24");
}

TEST_CASE("autoencoder: linear in training, in [0, 1] in evaluation") {
  nn::seed(1);
  nn::ConvAutoencoder model({.channels = 1, .widths = {4, 8}, .code = 2});
  Array x = Array::empty({2, 1, 8, 12});
  Generator(2).fill_uniform(x, -4, 5);
  CHECK_FALSE(within_unit(model(x).value()));
  const Array linear = model(x).value();
  model.evaluate();
  CHECK(identical(model(x).value(), kernels::clamp(linear, 0, 1)));
  CHECK(model.describe() == "ConvAutoencoder(widths 4-8, code 2)");
}

TEST_CASE("autoencoder: twenty steps of Adam halve the error") {
  nn::seed(2);
  nn::ConvAutoencoder model({.widths = {8, 8, 16}});
  const Tensor x(stripes(4, 3, 32));
  Optimizer optimizer(model.parameters(), adam({.lr = 3e-3}));
  double first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    const Tensor loss = mse_loss(model(x), x);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item();
  }
  CHECK(last < first / 2);
}

TEST_CASE("vae: shapes for images of 32 and 64") {
  nn::seed(3);
  for (const std::int64_t size : {32, 64}) {
    nn::ConvVae model({.size = size, .latent = 10});
    const Tensor x(stripes(2, 3, size));
    const auto [mean, log_variance] = model.encode(x);
    CHECK(mean.shape() == Shape{2, 10});
    CHECK(log_variance.shape() == Shape{2, 10});
    const Tensor y = model.decode(model.reparameterize(mean, log_variance));
    CHECK(y.shape() == x.shape());
    CHECK(within_unit(y.value()));
    CHECK(nn::summary(model, x.shape()).rows[0].output == x.shape());
  }
  nn::ConvVae model;
  CHECK(error_text([&] {
          model.encode(Array::zeros({1, 3, 64, 64}));
        }) == "encode: images must be 32x32: x [1, 3, 64, 64]");
  CHECK(error_text([] { nn::ConvVae({.size = 20}); }) == "ConvVae: size must be a multiple of 8: size 20, 3 widths");
  CHECK(error_text([] { nn::ConvVae({.deviation = 0}); }) == "ConvVae: deviation must be positive: 0 given");
  CHECK(error_text([] { nn::ConvVae({.latent = 0}); }) ==
        "ConvVae: channels, size, latent and widths must be at least 1: channels 3, size 32, latent 0, widths [" +
            std::string("32, 64, 128]"));
}

TEST_CASE("vae: the bound is log likelihood and divergence in nats per image") {
  nn::seed(4);
  nn::ConvVae model({.size = 8, .latent = 3, .widths = {4, 4}, .deviation = 0.2});
  const Tensor x(stripes(5, 3, 8));
  Generator noise(9), same(9);
  const nn::ConvVae::Bound b = model.bound(x, noise);
  const auto [mean, log_variance] = model.encode(x);
  const Tensor z = nn::reparameterize(mean, log_variance, same);
  CHECK(identical(b.y.value(), model.decode(z).value()));
  const double squares = kernels::sum_of_squares(kernels::subtract(b.y.value(), x.value())) / 5;
  const double constant = 3 * 8 * 8 * std::log(0.2 * std::sqrt(2 * std::numbers::pi));
  CHECK(b.reconstruction.item() == doctest::Approx(squares / (2 * 0.04) + constant));
  CHECK(b.kl.item() == doctest::Approx(gaussian_kl(mean, log_variance).item()));
  CHECK(b.loss.item() == doctest::Approx(b.reconstruction.item() + b.kl.item()));
}

TEST_CASE("vae: forward decodes the mean; training noise is saved with the model") {
  nn::seed(5);
  nn::ConvVae model({.size = 8, .latent = 3, .widths = {4, 4}}), copy({.size = 8, .latent = 3, .widths = {4, 4}});
  const Tensor x(stripes(2, 3, 8));
  CHECK(identical(model(x).value(), model.decode(model.encode(x).mean).value()));
  model.bound(x);
  copy.load_state_dict(model.state_dict());
  NamedTensors saved;
  for (const NamedTensor& t : model.random_state()) saved.push_back({t.name, t.tensor.value().clone()});
  REQUIRE(saved.size() == 1);
  CHECK(saved[0].name == "sample.generator");
  copy.load_random_state(saved);
  CHECK(model.bound(x).loss.item() == copy.bound(x).loss.item());
  CHECK(model.bound(x).loss.item() != model.bound(x).loss.item());
  model.evaluate();
  CHECK(identical(model.bound(x).y.value(), model(x).value()));
}

TEST_CASE("vae: thirty steps of Adam raise the bound") {
  nn::seed(6);
  nn::ConvVae model({.size = 16, .latent = 8, .widths = {8, 16}});
  const Tensor x(stripes(8, 3, 16));
  Optimizer optimizer(model.parameters(), adam({.lr = 3e-3}));
  double first = 0, last = 0;
  for (int step = 0; step < 30; ++step) {
    const Tensor loss = model.bound(x).loss;
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item();
  }
  CHECK(last < 0.9 * first);
}

TEST_CASE("make_model: autoencoders by name, apart from the classifiers") {
  const std::vector<std::string> names = nn::model_names(nn::ModelTask::reconstruction);
  CHECK(names == std::vector<std::string>{"autoencoder", "vae"});
  CHECK(nn::make_model("autoencoder", {{"channels", 1}})->describe().rfind("ConvAutoencoder(", 0) == 0);
  CHECK(nn::make_model("vae", {{"size", 64}})->describe().rfind("ConvVae(64x64", 0) == 0);
  for (const std::string& name : names) CHECK(nn::describe_model(name).find("autoencoder") != std::string::npos);
}
