// The loops of winograd.cpp on one thread, once for each width of vectors: transforms of tiles and of weights, and the
// matrix products between them. A transformed array has 36 planes, one for each place of a 6x6 tile; a plane is a
// matrix of tiles by channels. Channels come in multiples of 16, weights in panels of 16 filters.
// Private to core/kernels.
#pragma once

#include <cstdint>
#include <vector>

namespace tandem::kernels::tiles {

inline constexpr std::int64_t kOutputs = 4, kSide = 6, kPlanes = 36, kPanel = 16;

/// Where transformed tiles lie: place p of tile t, channel c at data[p * plane + t * row + c].
struct Planes {
  float* data;
  std::int64_t plane, row;
};

/// An image [H, W, C] and its tiles, numbered in rows of `columns`; tile t covers rows and columns from
/// 4 (t / columns) - top and 4 (t % columns) - left. `zeros`: C of them, what lies outside of the image.
struct Tiling {
  std::int64_t H, W, C, columns, top, left;
  const float* zeros;
};

/// Filters of 3x3, C of them for each of K outputs: w(r, s, c, k) at data[r * r_step + s * s_step + c * c_step +
/// k * k_step]; negative steps from the last place rotate a filter.
struct Filters {
  const float* data;
  std::int64_t C, K, c_step, k_step, r_step, s_step;
};

/// What is done to outputs on their way out: u where u > 0, else slope u, with u = y + bias[k]; no bias where it is
/// null, and a slope of 1 leaves u.
struct Epilogue {
  const float* bias = nullptr;
  float slope = 1;
};

/// All loops for vectors of so many lanes.
struct Loops {
  int lanes;

  /// planes = B' x B of 6x6 tiles [first, first + count) of an image.
  void (*transform_input)(const float* x, const Tiling& tiling, std::int64_t first, std::int64_t count,
                          const Planes& planes);
  /// 4x4 tiles of y = A' planes A and its epilogue, as far as they lie in the image.
  void (*transform_output)(const Planes& planes, const Tiling& tiling, std::int64_t first, std::int64_t count,
                           const Epilogue& epilogue, float* y);
  /// planes = A dy A' of the 4x4 tiles of dy: the transpose of transform_output.
  void (*transform_output_grad)(const float* dy, const Tiling& tiling, std::int64_t first, std::int64_t count,
                                const Planes& planes);
  /// G w G' as u[place][K / 16][C][16], planes `plane` apart, for filters k of panels [begin, end).
  void (*transform_weights)(const Filters& filters, std::int64_t begin, std::int64_t end, float* u, std::int64_t plane);
  /// dw[k][c][3][3] = G' du G for k in [begin, end), du[place][k][c] with these planes.
  void (*transform_weight_grad)(const Planes& du, std::int64_t C, std::int64_t begin, std::int64_t end, float* dw);

  /// One plane: y[t, k] = sum_c x[t, c] u[k / 16][c][k % 16] for t < count, k < K.
  void (*multiply)(const float* x, std::int64_t x_row, const float* u, std::int64_t count, std::int64_t C,
                   std::int64_t K, float* y, std::int64_t y_row);
  /// One plane: du[k, c] (+)= sum_t m[t, k] v[t, c] for t < count, k in [begin, end) (a multiple of 16 of them), c < C.
  void (*multiply_gradient)(const float* m, std::int64_t m_row, const float* v, std::int64_t v_row, std::int64_t count,
                            std::int64_t begin, std::int64_t end, std::int64_t C, bool add, float* du,
                            std::int64_t du_row);
};

/// Those that this processor runs, the widest first.
const std::vector<const Loops*>& all_loops();

}  // namespace tandem::kernels::tiles
