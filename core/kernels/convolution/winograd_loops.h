// The loops of winograd.cpp on one thread: transforms of tiles and of weights, and the matrix products between them.
// Channels go in panels of 16. A transformed array has 16 planes, one for each place of a 4x4 tile.
#pragma once

#include <cstdint>

namespace tandem::kernels::tiles {

inline constexpr std::int64_t kPlanes = 16, kPanel = 16;

/// Where transformed tiles lie: place p of tile t, channel c at p * plane + c / 16 * panel + t * tile + c % 16.
struct Planes {
  float* data;
  std::int64_t plane, panel, tile;
};

/// An image [H, W, C] and its tiles, numbered in rows of `columns`; tile t covers rows and columns from
/// 2 (t / columns) - top and 2 (t % columns) - left.
struct Tiling {
  std::int64_t H, W, C, columns, top, left;
};

/// planes = B' x B of 4x4 tiles [first, first + count) of an image (zeros outside it).
void transform_input(const float* x, const Tiling& tiling, std::int64_t first, std::int64_t count, Planes planes);
/// 2x2 tiles of y = A' planes A (+ bias unless null), as far as they lie in the image.
void transform_output(Planes planes, const Tiling& tiling, std::int64_t first, std::int64_t count, const float* bias,
                      float* y);
/// planes = A dy A' of the 2x2 tiles of dy: the transpose of transform_output.
void transform_output_grad(const float* dy, const Tiling& tiling, std::int64_t first, std::int64_t count,
                           Planes planes);

/// G w G' of C x K filters of 3x3; filter (c, k) begins at w[c * c_step + k * k_step], its places step by place_step
/// (-1 from its end: rotated). u[place][K / 16][C][16], for filters k of panel [begin, end).
void transform_weights(const float* w, std::int64_t c_step, std::int64_t k_step, std::int64_t r_step,
                       std::int64_t s_step, std::int64_t C, std::int64_t K, std::int64_t begin, std::int64_t end,
                       float* u);
/// dw[k, c] = G' du G with du[place][C / 16][K / 16][16][16], for channels c of panels [begin, end).
void transform_weight_grad(const float* du, std::int64_t C, std::int64_t K, std::int64_t begin, std::int64_t end,
                           float* dw);

/// One plane: y[t, 16 channels] = sum_c x[t, c] u[c][16] for t < count; rows of x are `C` apart, of y `y_step`.
void multiply_panel(const float* x, const float* u, std::int64_t count, std::int64_t C, float* y, std::int64_t y_step);
/// du[16][16] (+)= sum_t v[t][16] m[t][16]: a panel of channels times a panel of filters.
void multiply_gradient_panel(const float* v, const float* m, std::int64_t count, bool add, float* du);

}  // namespace tandem::kernels::tiles
