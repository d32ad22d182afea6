// The formulas of the ten outlines. See solids.h.
#include <algorithm>
#include <cmath>

#include <tandem/core/dispatch.h>
#include <tandem/data/solids.h>

namespace tandem {

namespace {

TANDEM_INLINE float length(float x, float y) { return std::sqrt(x * x + y * y); }

TANDEM_INLINE float disc(float x, float y, float radius) { return length(x, y) - radius; }

TANDEM_INLINE float rectangle(float x, float y, float half_width, float half_height) {
  const float dx = std::abs(x) - half_width, dy = std::abs(y) - half_height;
  return length(std::max(dx, 0.0F), std::max(dy, 0.0F)) + std::min(std::max(dx, dy), 0.0F);
}

struct Ball {
  TANDEM_INLINE float operator()(float x, float y) const { return disc(x, y, 0.86F); }
};

struct Box {
  TANDEM_INLINE float operator()(float x, float y) const { return rectangle(x, y, 0.74F, 0.74F) - 0.03F; }
};

struct Pyramid {  // an equilateral triangle, as three half planes
  TANDEM_INLINE float operator()(float x, float y) const {
    return std::max(std::abs(x) * 0.8660254F - y * 0.5F, y) - 0.5F;
  }
};

struct Ring {
  TANDEM_INLINE float operator()(float x, float y) const { return std::abs(length(x, y) - 0.68F) - 0.24F; }
};

struct Cross {
  TANDEM_INLINE float operator()(float x, float y) const {
    return std::min(rectangle(x, y, 0.95F, 0.28F), rectangle(x, y, 0.28F, 0.95F));
  }
};

struct Star {  // five points: folded twice into one half of one point, then the distance to its edge
  TANDEM_INLINE float operator()(float x, float y) const {
    constexpr float kCos = 0.809016994F, kSin = 0.587785252F, kInner = 0.45F;
    float px = std::abs(x), py = y;
    const float first = 2 * std::max(kCos * px - kSin * py, 0.0F);
    px -= first * kCos;
    py += first * kSin;
    const float second = 2 * std::max(-kCos * px - kSin * py, 0.0F);
    px += second * kCos;
    py += second * kSin;
    px = std::abs(px);
    py -= 1.0F;
    constexpr float kEdgeX = kInner * kSin, kEdgeY = kInner * kCos - 1;
    constexpr float kEdgeSquare = kEdgeX * kEdgeX + kEdgeY * kEdgeY;
    const float along = std::min(std::max((px * kEdgeX + py * kEdgeY) / kEdgeSquare, 0.0F), 1.0F);
    return std::copysign(length(px - kEdgeX * along, py - kEdgeY * along), py * kEdgeX - px * kEdgeY);
  }
};

struct Moon {
  TANDEM_INLINE float operator()(float x, float y) const {
    return std::max(disc(x + 0.15F, y, 0.9F), -disc(x - 0.3F, y, 0.72F));
  }
};

struct Heart {  // a square on its corner and two half discs
  TANDEM_INLINE float operator()(float x, float y) const {
    constexpr float kHalf = 0.52F, kLift = 0.7071068F * kHalf;
    const float ax = std::abs(x), v = y - 0.12F;
    const float square = rectangle((ax - v) * 0.7071068F, (ax + v) * 0.7071068F, kHalf, kHalf);
    return std::min(square, disc(ax - kLift, v + kLift, kHalf));
  }
};

struct Rod {
  TANDEM_INLINE float operator()(float x, float y) const {
    return length(x - std::min(std::max(x, -0.8F), 0.8F), y) - 0.26F;
  }
};

struct Dumbbell {
  TANDEM_INLINE float operator()(float x, float y) const {
    return std::min(disc(std::abs(x) - 0.66F, y, 0.42F), rectangle(x, y, 0.6F, 0.15F));
  }
};

template <class Outline>
TANDEM_INLINE void fill(const Outline& outline, const Pose& pose, float* distance) {
  const float scale_x = 1 / (pose.size * pose.stretch), scale_y = pose.stretch / pose.size;
  for (std::int64_t i = 0; i < kGridSide; ++i) {
    const float dy = static_cast<float>(i) - 0.5F - pose.y;
    float* row = distance + i * kGridSide;
    for (std::int64_t j = 0; j < kGridSide; ++j) {
      const float dx = static_cast<float>(j) - 0.5F - pose.x;
      row[j] = outline((pose.cosine * dx + pose.sine * dy) * scale_x, (pose.cosine * dy - pose.sine * dx) * scale_y) *
               pose.size;
    }
  }
}

}  // namespace

TANDEM_TARGETS
void solid_distances(int kind, const Pose& pose, float* distance) {
  switch (kind) {
    case 0:
      return fill(Ball{}, pose, distance);
    case 1:
      return fill(Box{}, pose, distance);
    case 2:
      return fill(Pyramid{}, pose, distance);
    case 3:
      return fill(Ring{}, pose, distance);
    case 4:
      return fill(Cross{}, pose, distance);
    case 5:
      return fill(Star{}, pose, distance);
    case 6:
      return fill(Moon{}, pose, distance);
    case 7:
      return fill(Heart{}, pose, distance);
    case 8:
      return fill(Rod{}, pose, distance);
    default:
      return fill(Dumbbell{}, pose, distance);
  }
}

float solid_depth(int kind) {
  constexpr float kDepth[] = {0.86F, 0.77F, 0.5F, 0.24F, 0.28F, 0.42F, 0.32F, 0.52F, 0.26F, 0.4F};
  return kDepth[kind];
}

}  // namespace tandem
