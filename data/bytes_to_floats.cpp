// See bytes_to_floats.h. Scale and shift are repeated over 16 pixels, so that the loop is the same for any number of
// channels and vectorises.
#include <algorithm>

#include <tandem/core/dispatch.h>
#include <tandem/data/bytes_to_floats.h>

namespace tandem {

namespace {

constexpr std::size_t kPixels = 16;

TANDEM_TARGETS
void scale_bytes(const std::uint8_t* bytes, std::int64_t count, const float* scale, const float* shift,
                 std::int64_t period, float* out) {
  for (std::int64_t begin = 0; begin < count; begin += period) {
    const std::int64_t n = std::min(period, count - begin);
    const std::uint8_t* x = bytes + begin;
    float* y = out + begin;
    for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]) * scale[i] + shift[i];
  }
}

}  // namespace

ByteScale::ByteScale(const std::vector<double>& mean, const std::vector<double>& deviation) {
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
    for (std::size_t c = 0; c < mean.size(); ++c) {
      scale_.push_back(static_cast<float>(1 / (255 * deviation[c])));
      shift_.push_back(static_cast<float>(-mean[c] / deviation[c]));
    }
  }
}

void ByteScale::convert(const std::uint8_t* bytes, std::int64_t count, float* out) const {
  scale_bytes(bytes, count, scale_.data(), shift_.data(), static_cast<std::int64_t>(scale_.size()), out);
}

}  // namespace tandem
