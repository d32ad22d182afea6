// See autoencoder.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/models/autoencoder.h>
#include <tandem/nn/models/image_halves.h>

namespace tandem::nn {

namespace {

void check(const AutoencoderOptions& o) {
  bool positive = o.channels > 0 && o.code > 0 && !o.widths.empty();
  for (const std::int64_t width : o.widths) positive = positive && width > 0;
  if (positive) return;
  fail("ConvAutoencoder", "channels, widths and code must be at least 1",
       fmt::format("channels {}, widths [{}], code {}", o.channels, fmt::join(o.widths, ", "), o.code));
}

}  // namespace

ConvAutoencoder::ConvAutoencoder(const AutoencoderOptions& options) : options_(options) {
  check(options);
  set_origin(origin_of("autoencoder", options));
  const std::int64_t deepest = options.widths.back();
  add_halving(*encoder_, options.channels, options.widths);
  encoder_->add(layer<Conv2d>({.in = deepest, .out = options.code, .kernel = 3, .padding = 1}));
  decoder_->add(layer<Conv2d>({.in = options.code, .out = deepest, .kernel = 3, .padding = 1}));
  add_doubling(*decoder_, options.widths, options.channels);
  start_convolutions(*encoder_);
  start_convolutions(*decoder_);
}

Tensor ConvAutoencoder::encode(const Tensor& x) {
  const std::int64_t factor = std::int64_t{1} << options_.widths.size();
  if (x.rank() != 4 || x.shape(2) % factor != 0 || x.shape(3) % factor != 0) {
    fail("encode", fmt::format("height and width must be multiples of {}", factor), "x " + to_string(x.shape()));
  }
  return encoder_(centred(x));
}

Tensor ConvAutoencoder::decode(const Tensor& z) {
  const Tensor y = pixels_of(decoder_(z));
  return is_training() ? y : clamp(y, 0, 1);
}

Tensor ConvAutoencoder::forward(const Tensor& x) { return decode(encode(x)); }

std::string ConvAutoencoder::describe() const {
  return fmt::format("ConvAutoencoder(widths {}, code {})", fmt::join(options_.widths, "-"), options_.code);
}

}  // namespace tandem::nn
