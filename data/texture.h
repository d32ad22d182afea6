// What the scenes of the synthetic set draw at random: numbers (Dice), surfaces (paint_texture), grain.
// Private to data.
#pragma once

#include <cstdint>
#include <utility>

#include <tandem/core/dispatch.h>
#include <tandem/core/generator.h>

namespace tandem {

/// Random numbers as a painter wants them.
class Dice {
 public:
  explicit Dice(const Generator& generator) : generator_(generator) {}

  float range(float low, float high) { return low + (high - low) * static_cast<float>(generator_.uniform()); }
  bool chance(float probability) { return generator_.uniform() < static_cast<double>(probability); }
  int below(std::int64_t n) { return static_cast<int>(generator_.below(n)); }
  std::uint32_t word() { return static_cast<std::uint32_t>(generator_.bits()); }
  /// Cosine and sine of an angle between 0 and a full turn.
  std::pair<float, float> direction();

 private:
  Generator generator_;
};

/// texture[32 * 32] in [0, 1]: soft noise, blotches, stripes, a chequerboard, a gradient, or nearly nothing.
void paint_texture(Dice& dice, float* texture);

/// A number of mean 0 and deviation 0.58 in (-1, 1), triangular: Wellons' 32-bit hash "lowbias32", cut into halves.
TANDEM_INLINE float hash_to_noise(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352dU;
  x = (x ^ (x >> 15)) * 0x846ca68bU;
  x ^= x >> 16;
  const auto low = static_cast<std::int32_t>(x & 0xffffU), high = static_cast<std::int32_t>(x >> 16);
  return static_cast<float>(low - high) * (1.0F / 65536) * 1.42F;
}

}  // namespace tandem
