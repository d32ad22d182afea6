// See texture.h.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <tandem/data/scene.h>
#include <tandem/data/texture.h>

namespace tandem {

namespace {

constexpr std::int64_t kMaxCells = 10;

float smooth(float t) { return t * t * (3 - 2 * t); }

// Value noise: random numbers on a lattice of `cells` x `cells` squares, smoothly between them; added to texture.
void add_noise(Dice& dice, std::int64_t cells, float amount, float* texture) {
  std::array<float, (kMaxCells + 1) * (kMaxCells + 1)> lattice;
  const std::int64_t side = cells + 1;
  for (std::int64_t i = 0; i < side * side; ++i) lattice[static_cast<std::size_t>(i)] = dice.range(0, amount);
  const float step = static_cast<float>(cells) / static_cast<float>(kSceneSide);
  std::array<std::int64_t, kSceneSide> cell;
  std::array<float, kSceneSide> weight;
  for (std::size_t j = 0; j < cell.size(); ++j) {
    const float at = static_cast<float>(j) * step;
    cell[j] = static_cast<std::int64_t>(at);
    weight[j] = smooth(at - static_cast<float>(cell[j]));
  }
  for (std::size_t i = 0; i < cell.size(); ++i) {
    const float *above = lattice.data() + cell[i] * side, *below = above + side;
    for (std::size_t j = 0; j < cell.size(); ++j) {
      const std::int64_t k = cell[j];
      const float top = above[k] + (above[k + 1] - above[k]) * weight[j];
      const float bottom = below[k] + (below[k + 1] - below[k]) * weight[j];
      texture[i * cell.size() + j] += top + (bottom - top) * weight[i];
    }
  }
}

struct Wave {
  float x, y, phase;  // of a triangle wave along (x, y): periods per pixel; phase large enough to keep the sum positive
};

Wave random_wave(Dice& dice, float shortest, float longest) {
  const float frequency = 1 / dice.range(shortest, longest);
  const auto [cosine, sine] = dice.direction();
  return {cosine * frequency, sine * frequency, 64 + dice.range(0, 1)};
}

// Between 0 and 1 and back, once in a period.
TANDEM_INLINE float triangle(const Wave& wave, float x, float y) {
  const float at = wave.x * x + wave.y * y + wave.phase;
  return std::abs(2 * (at - static_cast<float>(static_cast<std::int32_t>(at))) - 1);
}

// 0 and 1 with a short ramp between.
TANDEM_INLINE float sharpen(float t, float slope) { return std::min(std::max((t - 0.5F) * slope + 0.5F, 0.0F), 1.0F); }

TANDEM_TARGETS
void paint_stripes(const Wave& wave, float slope, float* texture) {
  for (std::int64_t i = 0; i < kSceneSide; ++i) {
    for (std::int64_t j = 0; j < kSceneSide; ++j) {
      texture[i * kSceneSide + j] = sharpen(triangle(wave, static_cast<float>(j), static_cast<float>(i)), slope);
    }
  }
}

TANDEM_TARGETS
void paint_squares(const Wave& wave, float slope, float* texture) {
  const Wave across{-wave.y, wave.x, wave.phase};
  for (std::int64_t i = 0; i < kSceneSide; ++i) {
    for (std::int64_t j = 0; j < kSceneSide; ++j) {
      const auto x = static_cast<float>(j), y = static_cast<float>(i);
      const float a = sharpen(triangle(wave, x, y), slope), b = sharpen(triangle(across, x, y), slope);
      texture[i * kSceneSide + j] = a + b - 2 * a * b;  // one of the two, softly
    }
  }
}

}  // namespace

std::pair<float, float> Dice::direction() {
  const double angle = generator_.uniform() * 2 * std::numbers::pi;
  return {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
}

void paint_texture(Dice& dice, float* texture) {
  constexpr std::int64_t kPixels = kSceneSide * kSceneSide;
  std::fill_n(texture, kPixels, 0.0F);
  switch (dice.below(6)) {
    case 0:  // nearly nothing
      return add_noise(dice, 3, 0.3F, texture);
    case 1:  // a gradient
      return paint_stripes(random_wave(dice, 40, 80), 1, texture);
    case 2: {  // drawn in an order of its own: that of arguments is the compiler's
      const float sharpness = dice.range(1, 4);
      return paint_stripes(random_wave(dice, 4, 12), sharpness, texture);
    }
    case 3: {
      const float sharpness = dice.range(2, 6);
      return paint_squares(random_wave(dice, 6, 16), sharpness, texture);
    }
    case 4:  // soft noise
      add_noise(dice, 4, 0.6F, texture);
      return add_noise(dice, 10, 0.4F, texture);
    default:  // blotches
      add_noise(dice, 3 + dice.below(6), 1, texture);
      for (std::int64_t p = 0; p < kPixels; ++p) texture[p] = sharpen(texture[p], 6);
  }
}

}  // namespace tandem
