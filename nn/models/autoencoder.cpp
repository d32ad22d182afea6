// See autoencoder.h.
#include <cmath>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/autoencoder.h>

namespace tandem::nn {

namespace {

void check(const AutoencoderOptions& o) {
  bool positive = o.channels > 0 && o.code > 0 && !o.widths.empty();
  for (const std::int64_t width : o.widths) positive = positive && width > 0;
  if (positive) return;
  fail("ConvAutoencoder", "channels, widths and code must be at least 1",
       fmt::format("channels {}, widths [{}], code {}", o.channels, fmt::join(o.widths, ", "), o.code));
}

/// Kaiming's normal distribution over the inputs (He et al. 2015); biases 0. Of a transposed convolution's kernel.h *
/// kernel.w windows per channel each output pixel lies in one in stride.h * stride.w.
void initialise(Module& module) {
  if (auto* conv = dynamic_cast<Conv2d*>(&module)) {
    init::kaiming_normal(conv->weight);
    init::constant(conv->bias, 0);
  } else if (auto* up = dynamic_cast<ConvTranspose2d*>(&module)) {
    const ConvTranspose2d::Options& o = up->options();
    const double inputs =
        static_cast<double>(o.in * o.kernel.h * o.kernel.w) / static_cast<double>(o.stride.h * o.stride.w);
    init::normal(up->weight, 0, init::kReluGain / std::sqrt(inputs));
    init::constant(up->bias, 0);
  }
}

}  // namespace

ConvAutoencoder::ConvAutoencoder(const AutoencoderOptions& options) : options_(options) {
  check(options);
  const std::vector<std::int64_t>& widths = options.widths;
  std::int64_t in = options.channels;
  for (const std::int64_t width : widths) {
    encoder_.add(layer<Conv2d>({.in = in, .out = width, .kernel = 3, .stride = 2, .padding = 1}));
    encoder_.add(layer<ReLU>());
    in = width;
  }
  encoder_.add(layer<Conv2d>({.in = in, .out = options.code, .kernel = 3, .padding = 1}));
  decoder_.add(layer<Conv2d>({.in = options.code, .out = in, .kernel = 3, .padding = 1}));
  for (std::size_t i = widths.size(); i > 0; --i) {
    const std::int64_t out = i > 1 ? widths[i - 2] : options.channels;
    decoder_.add(layer<ReLU>());
    decoder_.add(layer<ConvTranspose2d>({.in = widths[i - 1], .out = out, .kernel = 4, .stride = 2, .padding = 1}));
  }
  child("encoder", encoder_);
  child("decoder", decoder_);
  for (const NamedModule& m : modules()) initialise(*m.module);
  init::constant(dynamic_cast<ConvTranspose2d&>(decoder_[decoder_.size() - 1]).bias, 0.5);  // grey
}

Tensor ConvAutoencoder::encode(const Tensor& x) {
  const std::int64_t factor = std::int64_t{1} << options_.widths.size();
  if (x.rank() != 4 || x.shape(2) % factor != 0 || x.shape(3) % factor != 0) {
    fail("encode", fmt::format("height and width must be multiples of {}", factor), "x " + to_string(x.shape()));
  }
  return encoder_(x);
}

Tensor ConvAutoencoder::decode(const Tensor& z) {
  const Tensor y = decoder_(z);
  return is_training() ? y : clamp(y, 0, 1);
}

Tensor ConvAutoencoder::forward(const Tensor& x) { return decode(encode(x)); }

std::string ConvAutoencoder::describe() const {
  return fmt::format("ConvAutoencoder(widths {}, code {})", fmt::join(options_.widths, "-"), options_.code);
}

}  // namespace tandem::nn
