// Models against PyTorch: weights loaded by name give its outputs, and ten training steps give its losses.
// The numbers stand in tests/golden; tests/golden/make_golden.py says how they were made.
#include <doctest/doctest.h>

#include <string>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/nn/models/autoencoder.h>
#include <tandem/tandem.h>

#include "golden/golden_file.h"

using namespace tandem;

namespace {

NamedTensors state_of(const std::string& file) {
  NamedTensors state;
  for (const NamedArray& entry : golden::load(file).arrays) state.push_back({entry.name, Tensor(entry.array)});
  return state;
}

/// The network of make_golden.py's training().
nn::Sequential small_network() {
  return {nn::layer<nn::Conv2d>({.in = 3, .out = 8, .kernel = 3, .padding = 1, .bias = false}),
          nn::layer<nn::BatchNorm2d>({.channels = 8}),
          nn::layer<nn::ReLU>(),
          nn::layer<nn::MaxPool2d>({.kernel = 2}),
          nn::layer<nn::Conv2d>({.in = 8, .out = 16, .kernel = 3, .stride = 2, .padding = 1, .bias = false}),
          nn::layer<nn::BatchNorm2d>({.channels = 16}),
          nn::layer<nn::ReLU>(),
          nn::layer<nn::Flatten>(),
          nn::layer<nn::Linear>({.in = 16 * 2 * 2, .out = 10})};
}

struct Precision {
  DType dtype;
  Layout layout;
  double tolerance;
};

void train_and_compare(const std::string& name, const Rule& rule, const Precision& precision) {
  CAPTURE(name);
  const Safetensors file = golden::load("training.safetensors");
  const Array images = golden::at(file, "images").to(precision.dtype), labels = golden::at(file, "labels");
  const Array losses = golden::at(file, name + "/losses");

  nn::Sequential model = small_network();
  model.load_state_dict(state_of("training_initial.safetensors"));
  model.to(precision.dtype);
  Optimizer optimizer(model.parameters(), rule);
  for (std::int64_t step = 0; step < losses.size(); ++step) {
    CAPTURE(step);
    const Tensor loss =
        cross_entropy(model(images.select(0, step).to_layout(precision.layout)), labels.select(0, step).contiguous());
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    CHECK(loss.item() == doctest::Approx(losses.at({step})).epsilon(precision.tolerance));
  }
  model.evaluate();
  const NoGradGuard no_grad;
  const Tensor y = model(images.select(0, 0).to_layout(precision.layout));
  CHECK(golden::relative_error(y.value(), golden::at(file, name + "/evaluation")) <= 10 * precision.tolerance);
}

void train_with_every_rule(const Precision& precision) {
  const auto compare = [&](const char* name, const Rule& rule) { train_and_compare(name, rule, precision); };
  compare("momentum", momentum({.lr = 0.05, .momentum = 0.9}));
  compare("momentum_decay", momentum({.lr = 0.05, .momentum = 0.9, .weight_decay = 5e-3}));
  compare("nesterov", momentum({.lr = 0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 5e-3}));
  compare("adam", adam({.lr = 0.01}));
  compare("adam_decay", adam({.lr = 0.01, .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-6, .weight_decay = 5e-3}));
  compare("adamw", adamw({.lr = 0.01, .weight_decay = 0.1}));
}

}  // namespace

TEST_CASE("golden: a Linear after a flattened convolution, loaded by name, gives PyTorch's output") {
  const Safetensors io = golden::load("flatten_linear_io.safetensors");
  for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
    nn::Sequential model{nn::layer<nn::Conv2d>({.in = 3, .out = 4, .kernel = 3, .padding = 1}),
                         nn::layer<nn::Flatten>(), nn::layer<nn::Linear>({.in = 4 * 5 * 6, .out = 7})};
    model.load_state_dict(state_of("flatten_linear.safetensors"));
    const Tensor y = model(golden::at(io, "x").to_layout(layout));
    CHECK(golden::relative_error(y.value(), golden::at(io, "y")) <= 1e-6);
  }
}

TEST_CASE("golden: ten training steps in f64 have PyTorch's losses") {
  train_with_every_rule({DType::f64, Layout::row_major, 1e-10});
}

TEST_CASE("golden: ten training steps in f32 have the losses of PyTorch's f64") {
  train_with_every_rule({DType::f32, Layout::channels_last, 1e-4});
}

namespace {

/// Ten steps of Adam on a small autoencoder: the losses, and the reconstruction after them.
void train_autoencoder_and_compare(const Precision& precision) {
  const Safetensors file = golden::load("autoencoder.safetensors");
  const Array images = golden::at(file, "images").to(precision.dtype), losses = golden::at(file, "losses");
  nn::ConvAutoencoder model({.widths = {8, 16, 24}, .code = 6});
  model.load_state_dict(state_of("autoencoder_initial.safetensors"));
  model.to(precision.dtype);
  Optimizer optimizer(model.parameters(), adam({.lr = 1e-3}));
  for (std::int64_t step = 0; step < losses.size(); ++step) {
    CAPTURE(step);
    const Tensor x(images.select(0, step).to_layout(precision.layout));
    const Tensor loss = mse_loss(model(x), x);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    CHECK(loss.item() == doctest::Approx(losses.at({step})).epsilon(precision.tolerance));
  }
  model.evaluate();
  const NoGradGuard no_grad;
  const Tensor y = model(images.select(0, 0).to_layout(precision.layout));
  CHECK(golden::relative_error(y.value(), golden::at(file, "evaluation")) <= 10 * precision.tolerance);
}

}  // namespace

TEST_CASE("golden: ten steps of an autoencoder have PyTorch's losses, in f64 and f32") {
  train_autoencoder_and_compare({DType::f64, Layout::row_major, 1e-10});
  train_autoencoder_and_compare({DType::f32, Layout::channels_last, 1e-4});
}
