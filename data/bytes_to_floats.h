// ByteScale: bytes to floats, y = (byte / 255 - mean[c]) / deviation[c], as one multiplication and addition each.
// Private to data: normalize and the end of a Transform use it.
#pragma once

#include <cstdint>
#include <vector>

namespace tandem {

class ByteScale {
 public:
  /// One mean and deviation a channel.
  ByteScale(const std::vector<double>& mean, const std::vector<double>& deviation);

  /// count is a multiple of the number of channels, which vary fastest.
  void convert(const std::uint8_t* bytes, std::int64_t count, float* out) const;

 private:
  std::vector<float> scale_, shift_;  // repeated until a row of them is a multiple of a vector register
};

}  // namespace tandem
