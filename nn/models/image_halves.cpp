// See image_halves.h.
#include <algorithm>
#include <cmath>

#include <tandem/autograd/ops.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/conv_transpose2d.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/image_halves.h>

namespace tandem::nn {

namespace {
constexpr double kSlope = 0.5;
}

void add_halving(Sequential& layers, std::int64_t channels, const std::vector<std::int64_t>& widths) {
  std::int64_t in = channels;
  for (const std::int64_t width : widths) {
    layers.add(layer<Conv2d>({.in = in, .out = width, .kernel = 3, .stride = 2, .padding = 1}));
    layers.add(layer<LeakyReLU>({.slope = kSlope}));
    in = width;
  }
}

void add_doubling(Sequential& layers, const std::vector<std::int64_t>& widths, std::int64_t channels) {
  for (std::size_t i = widths.size(); i > 0; --i) {
    const std::int64_t out = i > 1 ? widths[i - 2] : channels;
    layers.add(layer<LeakyReLU>({.slope = kSlope}));
    layers.add(layer<ConvTranspose2d>({.in = widths[i - 1], .out = out, .kernel = 4, .stride = 2, .padding = 1}));
  }
}

void start_convolutions(Sequential& layers) {
  // w, as [rows, columns], is orthonormal along its shorter side, so its numbers have variance 1 / max(rows, columns).
  const auto start = [](const Tensor& w, const Tensor& b, double inputs, double gain) {
    const double rows = static_cast<double>(w.shape(0)), columns = static_cast<double>(w.size()) / rows;
    init::orthogonal(w, {.gain = gain * std::sqrt(std::max(rows, columns) / inputs)});
    init::constant(b, 0);
  };
  double gain = 1;  // of what the layer reads: linear, or after an activation
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (auto* conv = dynamic_cast<Conv2d*>(&layers[i])) {
      start(conv->weight, conv->bias, static_cast<double>(init::fans(conv->weight.shape()).in), gain);
      gain = 1;
    } else if (auto* up = dynamic_cast<ConvTranspose2d*>(&layers[i])) {
      // An output pixel lies in kernel / stride windows along each side, not in kernel of them.
      const ConvTranspose2d::Options& o = up->options();
      const double windows =
          static_cast<double>(o.kernel.h * o.kernel.w) / static_cast<double>(o.stride.h * o.stride.w);
      start(up->weight, up->bias, static_cast<double>(o.in) * windows, gain);
      gain = 1;
    } else if (dynamic_cast<LeakyReLU*>(&layers[i]) != nullptr) {
      gain = init::leaky_relu_gain(kSlope);
    }
  }
}

Tensor centred(const Tensor& pixels) { return (pixels - 0.5) * 4.0; }

Tensor pixels_of(const Tensor& x) { return x * 0.25 + 0.5; }

}  // namespace tandem::nn
