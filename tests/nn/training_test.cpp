// Layers together: gradients of a residual block in double precision, and a small network that learns.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/autograd/gradcheck.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/models/resnet.h>
#include <tandem/nn/pool2d.h>
#include <tandem/nn/sequential.h>

using namespace tandem;
using nn::layer;

namespace {

Tensor random(const Shape& shape, std::uint64_t seed) {
  Array x = Array::empty(shape, DType::f64);
  Generator(seed).fill_normal(x);
  return Tensor(x);
}

/// Every parameter's gradient of sum(v f()) against central differences.
void check_parameters(nn::Module& model, const Tensor& x, const Tensor& v) {
  sum(v * model(x)).backward();
  const NoGradGuard no_grad;
  for (NamedTensor& p : model.parameters()) {
    CAPTURE(p.name);
    const std::vector<double> analytic = p.tensor.grad().to_vector<double>();
    Array w = p.tensor.mutable_value();
    double* values = w.data<double>();
    for (std::int64_t i = 0; i < w.size(); ++i) {
      const double before = values[i];
      const auto loss_at = [&](double value) {
        values[i] = value;
        w.mark_changed();
        return sum(v * model(x)).item();
      };
      const double numeric = (loss_at(before + 1e-5) - loss_at(before - 1e-5)) / 2e-5;
      loss_at(before);
      const double a = analytic[static_cast<std::size_t>(i)];
      CHECK(std::abs(a - numeric) <= 1e-6 * std::max({1.0, std::abs(a), std::abs(numeric)}));
    }
  }
}

void check_block(nn::Shortcut shortcut) {
  nn::seed(4);
  nn::ResidualBlock block({.in = 2, .out = 4, .stride = 2, .shortcut = shortcut});
  block.to(DType::f64);
  const Tensor x = random({2, 2, 4, 4}, 1), v = random({2, 4, 2, 2}, 2);
  for (const bool training : {true, false}) {
    CAPTURE(training);
    block.set_training(training);
    for (NamedTensor& p : block.parameters()) p.tensor.zero_grad();
    const GradcheckResult result =
        gradcheck([&](const std::vector<Tensor>& in) { return block(in[0]); }, {random({2, 2, 4, 4}, 1)});
    CHECK_MESSAGE(result.passed(), result.to_string());
    check_parameters(block, x, v);
  }
}

}  // namespace

TEST_CASE("training: gradients of a residual block are right in double precision") {
  check_block(nn::Shortcut::zero_padded);
  check_block(nn::Shortcut::projection);
}

TEST_CASE("training: a small convolutional network learns stripes by plain gradient descent") {
  // Images of 8x8 with noise: class 0 has horizontal stripes, class 1 vertical ones.
  constexpr std::int64_t kImages = 32;
  Generator g(9);
  Array x = Array::zeros({kImages, 1, 8, 8}), labels = Array::zeros({kImages}, DType::i64);
  g.fill_normal(x, 0, 0.3);
  for (std::int64_t n = 0; n < kImages; ++n) {
    labels.set({n}, static_cast<double>(n % 2));
    for (std::int64_t i = 0; i < 8; ++i) {
      for (std::int64_t j = 0; j < 8; ++j) {
        x.set({n, 0, i, j}, x.at({n, 0, i, j}) + static_cast<double>((n % 2 == 0 ? i : j) % 2));
      }
    }
  }

  nn::seed(1);
  nn::Sequential model{layer<nn::Conv2d>({.in = 1, .out = 4, .padding = 1}), layer<nn::BatchNorm2d>({.channels = 4}),
                       layer<nn::ReLU>(), layer<nn::GlobalAveragePool2d>(), layer<nn::Linear>({.in = 4, .out = 2})};
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    for (NamedTensor& p : model.parameters()) p.tensor.zero_grad();
    const Tensor loss = cross_entropy(model(x), labels);
    loss.backward();
    if (step == 0) first = loss.item();
    last = loss.item();
    for (NamedTensor& p : model.parameters()) {
      Array w = p.tensor.mutable_value();
      const std::vector<float> dw = p.tensor.grad().to_vector<float>();
      float* values = w.data<float>();
      for (std::size_t i = 0; i < dw.size(); ++i) values[i] -= 0.5F * dw[i];
      w.mark_changed();
    }
  }
  CHECK(first > 0.4);
  CHECK(last < 0.05);

  model.evaluate();
  const NoGradGuard no_grad;
  const std::vector<double> predicted = argmax(model(x), 1).value().to_vector<double>();
  CHECK(predicted == labels.to_vector<double>());
}
