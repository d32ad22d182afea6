// ConvAutoencoder: images through a bottleneck of an eighth of their numbers, and back.
//   encode   strided 3x3 convolutions, each halving H and W: widths[0], widths[1], widths[2]; then 3x3 to the code
//   decode   3x3 to widths[2]; then transposed 4x4 convolutions of stride 2, each doubling: widths[1], widths[0], image
// LeakyReLU(0.5) between them, none round the code; pixels are centred on the way in. Read next: image_halves.h, vae.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tandem/nn/sequential.h>
#include <tandem/nn/sub.h>

namespace tandem::nn {

struct AutoencoderOptions {
  std::int64_t channels = 3;                        ///< of the images
  std::vector<std::int64_t> widths = {16, 48, 96};  ///< channels at 1/2, 1/4, 1/8 ... of H and W
  std::int64_t code = 24;                           ///< channels of the bottleneck
};

/// Every option by its name, for files and command lines (nn/model_options.h): option("channels", o.channels) and so
/// on.
template <class Option>
void visit_options(AutoencoderOptions& o, Option&& option) {
  option("channels", o.channels);
  option("widths", o.widths);
  option("code", o.code);
}

/// x [N, channels, H, W] in [0, 1] -> its reconstruction, same shape. H and W are multiples of 2^widths.size() = 8; the
/// code [N, code, H/8, W/8] then holds code / (64 channels) of the numbers of x: one eighth with the defaults.
class ConvAutoencoder : public Module {
 public:
  /// Throws Error when there is no width or a size is below 1.
  explicit ConvAutoencoder(const AutoencoderOptions& options = {});

  /// [N, channels, H, W] -> [N, code, H/8, W/8]. Throws Error when H or W is not a multiple of 8.
  Tensor encode(const Tensor& x);
  /// [N, code, h, w] -> [N, channels, 8 h, 8 w]. Training: linear, so that the loss sees by how much a pixel leaves
  /// [0, 1]; evaluation: clamped to [0, 1].
  Tensor decode(const Tensor& z);

  std::string describe() const override;
  const AutoencoderOptions& options() const { return options_; }

 protected:
  /// decode(encode(x)).
  Tensor forward(const Tensor& x) override;

 private:
  AutoencoderOptions options_;
  Sub<Sequential> encoder_{this, "encoder"}, decoder_{this, "decoder"};
};

}  // namespace tandem::nn
