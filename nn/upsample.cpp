// See upsample.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/upsample.h>

namespace tandem::nn {

Upsample::Upsample(const Options& options) : options_(options) {
  const bool by_scale = options.scale != Scale2(0), by_size = options.size != Size2(0);
  const std::string facts =
      fmt::format("scale {}x{}, size {}", options.scale.h, options.scale.w, to_string(options.size));
  if (by_scale == by_size) fail("Upsample", "exactly one of scale and size must be given", facts);
  if (by_scale ? !(options.scale.h > 0 && options.scale.w > 0) : options.size.h < 1 || options.size.w < 1) {
    fail("Upsample", "scale and size must be positive", facts);
  }
}

Tensor Upsample::forward(const Tensor& x) { return upsample2d(x, options_); }

std::string Upsample::describe() const {
  const char* mode = options_.mode == Interpolation::nearest ? "nearest" : "bilinear";
  if (options_.size != Size2(0)) return fmt::format("Upsample(to {}, {})", to_string(options_.size), mode);
  if (options_.scale.h == options_.scale.w) return fmt::format("Upsample(by {}, {})", options_.scale.h, mode);
  return fmt::format("Upsample(by {}x{}, {})", options_.scale.h, options_.scale.w, mode);
}

}  // namespace tandem::nn
