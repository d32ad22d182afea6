// Layers of a picture, from the ground up. See scene.h. Planes of 1,024 floats, so that loops vectorise.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <tandem/core/dispatch.h>
#include <tandem/data/scene.h>
#include <tandem/data/solids.h>
#include <tandem/data/texture.h>

namespace tandem {

namespace {

constexpr std::int64_t kPixels = kSceneSide * kSceneSide;
constexpr auto kCentre = static_cast<float>(kSceneSide) / 2;

using Colour = std::array<float, 3>;

struct Light {
  float x, y, z;     // towards the light, length 1
  float hx, hy, hz;  // half way between the light and the eye
  float ambient;
};

struct Material {
  Colour colour, second;
  float gloss;
  float bevel;  // part of the solid's depth that is round
};

struct Canvas {
  alignas(64) float plane[3][kPixels];
  alignas(64) float texture[kPixels];
  alignas(64) float distance[kGridSide * kGridSide];
};

// Hue, saturation and value, by the piecewise linear formula.
Colour random_colour(Dice& dice) {
  const float hue = dice.range(0, 6), saturation = dice.range(0.1F, 0.9F), value = dice.range(0.2F, 0.95F);
  Colour colour;
  for (std::size_t c = 0; c < 3; ++c) {
    float k = 5 - 2 * static_cast<float>(c) + hue;
    if (k >= 6) k -= 6;
    colour[c] = value * (1 - saturation * std::max(0.0F, std::min({k, 4 - k, 1.0F})));
  }
  return colour;
}

Colour mix(const Colour& a, const Colour& b, float t) {
  return {a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t};
}

float difference(const Colour& a, const Colour& b) {
  return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

// A colour at least `apart` from another one, if a few tries find it.
Colour colour_unlike(Dice& dice, const Colour& other, float apart) {
  Colour best = random_colour(dice);
  for (int i = 0; i < 6 && difference(best, other) < apart; ++i) {
    const Colour next = random_colour(dice);
    if (difference(next, other) > difference(best, other)) best = next;
  }
  return best;
}

Light random_light(Dice& dice) {
  const auto [cosine, sine] = dice.direction();
  const float z = dice.range(0.45F, 0.85F), across = std::sqrt(1 - z * z);
  Light light{across * cosine, across * sine, z, 0, 0, 0, dice.range(0.15F, 0.45F)};
  const float half = std::sqrt(2 + 2 * z);
  light.hx = light.x / half;
  light.hy = light.y / half;
  light.hz = (z + 1) / half;
  return light;
}

Pose random_pose(Dice& dice, float x, float y, float size) {
  const auto [cosine, sine] = dice.direction();
  return {x, y, size, cosine, sine, dice.range(0.87F, 1.15F)};
}

Material random_material(Dice& dice, const Colour& ground) {
  const Colour colour = colour_unlike(dice, ground, 0.7F);
  const float towards = dice.range(0, 0.7F);  // drawn in an order of its own: that of arguments is the compiler's
  return {colour, mix(colour, random_colour(dice), towards), dice.range(0, 0.6F), dice.range(0.5F, 1)};
}

TANDEM_TARGETS
void paint_ground(Canvas& canvas, const Colour& a, const Colour& b) {
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::int64_t p = 0; p < kPixels; ++p) canvas.plane[c][p] = a[c] + (b[c] - a[c]) * canvas.texture[p];
  }
}

// Darkens where the solid of canvas.distance, moved away from the light, hides it.
TANDEM_TARGETS
void paint_shadow(Canvas& canvas, const Light& light, float reach, float strength) {
  const auto shift_x = static_cast<std::int64_t>(light.x * reach + 8.5F) - 8;
  const auto shift_y = static_cast<std::int64_t>(light.y * reach + 8.5F) - 8;
  for (std::int64_t i = 0; i < kSceneSide; ++i) {
    const std::int64_t row = std::clamp<std::int64_t>(i + 1 + shift_y, 0, kGridSide - 1) * kGridSide;
    for (std::int64_t j = 0; j < kSceneSide; ++j) {
      const std::int64_t column = std::clamp<std::int64_t>(j + 1 + shift_x, 0, kGridSide - 1);
      const float dark = std::min(std::max(0.5F - canvas.distance[row + column] * 0.3F, 0.0F), 1.0F);
      const float keep = 1 - strength * dark;
      for (auto& plane : canvas.plane) plane[i * kSceneSide + j] *= keep;
    }
  }
}

// Lights the solid of canvas.distance: its outline inflated to a round edge of width `bevel` pixels.
TANDEM_TARGETS
void paint_solid(Canvas& canvas, const Material& material, const Light& light, float bevel) {
  for (std::int64_t i = 0; i < kSceneSide; ++i) {
    const float* above = canvas.distance + i * kGridSide + 1;
    const float *here = above + kGridSide, *below = here + kGridSide;
    const float* texture = canvas.texture + i * kSceneSide;
    float* red = canvas.plane[0] + i * kSceneSide;
    float* green = canvas.plane[1] + i * kSceneSide;
    float* blue = canvas.plane[2] + i * kSceneSide;
    for (std::int64_t j = 0; j < kSceneSide; ++j) {
      const float cover = std::min(std::max(0.5F - here[j], 0.0F), 1.0F);
      const float tilt = 1 - std::min(std::max(-here[j] / bevel, 0.0F), 1.0F);  // 1 at the edge, 0 where it is flat
      const float nx = (here[j + 1] - here[j - 1]) * 0.5F * tilt, ny = (below[j] - above[j]) * 0.5F * tilt;
      const float nz = std::sqrt(std::max(1 - nx * nx - ny * ny, 0.04F));
      const float diffuse = std::max(nx * light.x + ny * light.y + nz * light.z, 0.0F);
      float shine = std::max(nx * light.hx + ny * light.hy + nz * light.hz, 0.0F);
      shine *= shine;  // to the 32nd power
      shine *= shine;
      shine *= shine;
      shine *= shine;
      shine *= shine;
      const float lit = light.ambient + (1.15F - light.ambient) * diffuse, gloss = material.gloss * shine;
      const float t = texture[j];
      const auto blend = [&](float ground, std::size_t c) {
        const float own = material.colour[c] + (material.second[c] - material.colour[c]) * t;
        return ground + (own * lit + gloss - ground) * cover;
      };
      red[j] = blend(red[j], 0);
      green[j] = blend(green[j], 1);
      blue[j] = blend(blue[j], 2);
    }
  }
}

void add_solid(Canvas& canvas, Dice& dice, int kind, const Pose& pose, const Material& material, const Light& light) {
  paint_texture(dice, canvas.texture);
  solid_distances(kind, pose, canvas.distance);
  paint_shadow(canvas, light, -0.35F * pose.size, dice.range(0.2F, 0.6F));
  paint_solid(canvas, material, light, std::max(material.bevel * solid_depth(kind) * pose.size, 0.5F));
}

// Light that falls off across the picture, exposure, and grain; then bytes.
TANDEM_TARGETS
void develop(const Canvas& canvas, float gain, float slope_x, float slope_y, float lift, float grain,
             std::uint32_t seed, std::uint8_t* pixels) {
  for (std::int64_t i = 0; i < kSceneSide; ++i) {
    alignas(64) float row[3][kSceneSide];
    for (std::int64_t c = 0; c < 3; ++c) {
      const float* plane = canvas.plane[c] + i * kSceneSide;
      for (std::int64_t j = 0; j < kSceneSide; ++j) {
        const float light =
            gain + slope_x * (static_cast<float>(j) - kCentre) + slope_y * (static_cast<float>(i) - kCentre);
        const float noise = hash_to_noise(seed + static_cast<std::uint32_t>((c * kSceneSide + i) * kSceneSide + j));
        const float value = plane[j] * light + lift + grain * noise;
        row[c][j] = std::min(std::max(value, 0.0F), 1.0F) * 255 + 0.5F;
      }
    }
    for (std::int64_t j = 0; j < kSceneSide; ++j) {
      for (std::int64_t c = 0; c < 3; ++c) *pixels++ = static_cast<std::uint8_t>(row[c][j]);
    }
  }
}

}  // namespace

void paint_scene(int kind, Generator generator, std::uint8_t* pixels) {
  Canvas canvas;
  Dice dice(generator);
  const Colour ground = random_colour(dice);
  const float towards = dice.range(0.1F, 0.9F);
  const Colour second = mix(ground, random_colour(dice), towards);
  const Colour mean = mix(ground, second, 0.5F);
  paint_texture(dice, canvas.texture);
  paint_ground(canvas, ground, second);

  const Light light = random_light(dice);
  for (int clutter = dice.below(4); clutter > 0; --clutter) {
    const float x = dice.range(0, 32), y = dice.range(0, 32);
    const Pose pose = random_pose(dice, x, y, dice.range(2, 4.5F));
    const int what = dice.below(kSceneClasses);
    add_solid(canvas, dice, what, pose, random_material(dice, mean), light);
  }

  const float x = dice.range(11, 21), y = dice.range(11, 21);
  const Pose pose = random_pose(dice, x, y, dice.range(6.5F, 13));
  add_solid(canvas, dice, kind, pose, random_material(dice, mean), light);

  if (dice.chance(0.35F)) {  // something small in front, at the rim
    const auto [cosine, sine] = dice.direction();
    const Pose front = random_pose(dice, x + pose.size * cosine, y + pose.size * sine, dice.range(2.5F, 4));
    const int what = dice.below(kSceneClasses);
    add_solid(canvas, dice, what, front, random_material(dice, mean), light);
  }

  const float gain = dice.range(0.7F, 1.15F), slope_x = dice.range(-0.012F, 0.012F),
              slope_y = dice.range(-0.012F, 0.012F);
  const float lift = dice.range(-0.06F, 0.12F), grain = dice.range(0.01F, 0.07F);
  develop(canvas, gain, slope_x, slope_y, lift, grain, dice.word(), pixels);
}

void paint_solid_alone(int kind, Generator generator, std::uint8_t* pixels) {
  Canvas canvas;
  Dice dice(generator);
  const Colour ground = random_colour(dice);
  paint_texture(dice, canvas.texture);
  paint_ground(canvas, ground, mix(ground, random_colour(dice), 0.15F));
  const Light light = random_light(dice);
  const float x = dice.range(14, 18), y = dice.range(14, 18), size = dice.range(10, 13);
  const float sine = dice.range(-0.3F, 0.3F), cosine = std::sqrt(1 - sine * sine);
  const Pose pose{x, y, size, cosine, sine, dice.range(0.93F, 1.07F)};
  add_solid(canvas, dice, kind, pose, random_material(dice, ground), light);
  const float gain = dice.range(0.8F, 1.1F), grain = dice.range(0.01F, 0.04F);
  develop(canvas, gain, 0, 0, 0, grain, dice.word(), pixels);
}

}  // namespace tandem
