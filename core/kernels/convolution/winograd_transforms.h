// Winograd's transforms of tiles and of weights, as templates on the number of lanes: what winograd_loops.cpp compiles
// for each target. Their declarations, and what arrays look like: winograd_loops.h; one dimension: winograd_points.h.
// Private to core/kernels.
#pragma once

#include <algorithm>

#include <tandem/core/kernels/convolution/winograd_loops.h>
#include <tandem/core/kernels/convolution/winograd_points.h>
#include <tandem/core/kernels/pack.h>

namespace tandem::kernels::tiles {

using std::int64_t;

/// Where the places of a tile of `side` x `side` begin, from row h0 and column w0 of an image: `zeros` outside of it.
template <int side>
TANDEM_INLINE void find_places(const float* x, const Tiling& g, int64_t h0, int64_t w0,
                               const float* (&places)[side][side]) {
  for (int i = 0; i < side; ++i)
    for (int j = 0; j < side; ++j) {
      const int64_t h = h0 + i, w = w0 + j;
      const bool is_inside = h >= 0 && h < g.H && w >= 0 && w < g.W;
      places[i][j] = is_inside ? x + (h * g.W + w) * g.C : g.zeros;
    }
}

template <int Lanes>
TANDEM_INLINE void transform_input(const float* x, const Tiling& g, int64_t first, int64_t count, const Planes& to) {
  using V = Pack<Lanes>;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t h0 = (first + t) / g.columns * kOutputs - g.top, w0 = (first + t) % g.columns * kOutputs - g.left;
    const bool is_inside = h0 >= 0 && w0 >= 0 && h0 + kSide <= g.H && w0 + kSide <= g.W;
    const float* places[kSide][kSide];
    if (!is_inside) find_places(x, g, h0, w0, places);
    const float* corner = is_inside ? x + (h0 * g.W + w0) * g.C : nullptr;
    for (int64_t c = 0; c < g.C; c += Lanes) {
      V e[kSide][kSide];  // e[j]: column j of B' x
      for (int j = 0; j < kSide; ++j) {
        V d[kSide];
        if (is_inside) {
          for (int i = 0; i < kSide; ++i) d[i] = load<Lanes>(corner + (i * g.W + j) * g.C + c);
        } else {
          for (int i = 0; i < kSide; ++i) d[i] = load<Lanes>(places[i][j] + c);
        }
        input_line(d, e[j]);
      }
      float* out = to.data + t * to.row + c;
      for (int i = 0; i < kSide; ++i) {
        const V row[kSide] = {e[0][i], e[1][i], e[2][i], e[3][i], e[4][i], e[5][i]};
        V m[kSide];
        input_line(row, m);
        for (int j = 0; j < kSide; ++j, out += to.plane) store<Lanes>(out, m[j]);
      }
    }
  }
}

template <int Lanes>
TANDEM_INLINE void transform_output(const Planes& from, const Tiling& g, int64_t first, int64_t count,
                                    const Epilogue& epilogue, float* y) {
  using V = Pack<Lanes>;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t h = (first + t) / g.columns * kOutputs, w = (first + t) % g.columns * kOutputs;
    const int64_t rows = std::min(kOutputs, g.H - h), columns = std::min(kOutputs, g.W - w);
    for (int64_t c = 0; c < g.C; c += Lanes) {
      const float* in = from.data + t * from.row + c;
      V e[kSide][kOutputs];  // e[j]: column j of A' m
      for (int j = 0; j < kSide; ++j, in += from.plane) {
        V m[kSide];
        for (int i = 0; i < kSide; ++i) m[i] = load<Lanes>(in + i * kSide * from.plane);
        output_line(m, e[j]);
      }
      const V bias = epilogue.bias == nullptr ? V{} : load<Lanes>(epilogue.bias + c);
      for (int64_t i = 0; i < rows; ++i) {
        const V row[kSide] = {e[0][i], e[1][i], e[2][i], e[3][i], e[4][i], e[5][i]};
        V line[kOutputs];
        output_line(row, line);
        float* to = y + ((h + i) * g.W + w) * g.C + c;
        for (int64_t j = 0; j < columns; ++j, to += g.C) {
          V value = line[j] + bias;
          if (epilogue.slope != 1.0F) {
            const V below = epilogue.slope == 0.0F ? V{} : value * epilogue.slope;
            value = choose_less<Lanes>(value, V{}, below, value);
          }
          store<Lanes>(to, value);
        }
      }
    }
  }
}

template <int Lanes>
TANDEM_INLINE void transform_output_grad(const float* dy, const Tiling& g, int64_t first, int64_t count,
                                         const Planes& to) {
  using V = Pack<Lanes>;
  for (int64_t t = 0; t < count; ++t) {
    const float* places[kOutputs][kOutputs];
    find_places(dy, g, (first + t) / g.columns * kOutputs, (first + t) % g.columns * kOutputs, places);
    for (int64_t c = 0; c < g.C; c += Lanes) {
      V e[kOutputs][kSide];  // e[j]: column j of A dy
      for (int j = 0; j < kOutputs; ++j) {
        V d[kOutputs];
        for (int i = 0; i < kOutputs; ++i) d[i] = load<Lanes>(places[i][j] + c);
        output_grad_line(d, e[j]);
      }
      float* out = to.data + t * to.row + c;
      for (int i = 0; i < kSide; ++i) {
        const V row[kOutputs] = {e[0][i], e[1][i], e[2][i], e[3][i]};
        V m[kSide];
        output_grad_line(row, m);
        for (int j = 0; j < kSide; ++j, out += to.plane) store<Lanes>(out, m[j]);
      }
    }
  }
}

template <int Lanes>
TANDEM_INLINE void transform_weights(const Filters& w, int64_t begin, int64_t end, float* u, int64_t plane) {
  using V = Pack<Lanes>;
  for (int64_t panel = begin; panel < end; ++panel)
    for (int64_t c = 0; c < w.C; ++c) {
      alignas(64) float g[9][kPanel];
      const float* from = w.data + panel * kPanel * w.k_step + c * w.c_step;
      for (int64_t k = 0; k < kPanel; ++k)
        for (int64_t r = 0; r < 3; ++r)
          for (int64_t s = 0; s < 3; ++s) g[3 * r + s][k] = from[k * w.k_step + r * w.r_step + s * w.s_step];
      for (int64_t k = 0; k < kPanel; k += Lanes) {
        V e[3][kSide];  // e[s]: column s of G w
        for (int s = 0; s < 3; ++s) {
          const V column[3] = {load<Lanes>(&g[s][k]), load<Lanes>(&g[3 + s][k]), load<Lanes>(&g[6 + s][k])};
          weight_line(column, e[s]);
        }
        float* out = u + (panel * w.C + c) * kPanel + k;
        for (int i = 0; i < kSide; ++i) {
          const V row[3] = {e[0][i], e[1][i], e[2][i]};
          V line[kSide];
          weight_line(row, line);
          for (int j = 0; j < kSide; ++j, out += plane) store<Lanes>(out, line[j]);
        }
      }
    }
}

template <int Lanes>
TANDEM_INLINE void transform_weight_grad(const Planes& du, int64_t C, int64_t begin, int64_t end, float* dw) {
  using V = Pack<Lanes>;
  for (int64_t k = begin; k < end; ++k)
    for (int64_t c = 0; c < C; c += Lanes) {
      V e[kSide][3];  // e[j]: column j of G' du
      for (int j = 0; j < kSide; ++j) {
        V u[kSide];
        for (int i = 0; i < kSide; ++i) u[i] = load<Lanes>(du.data + (i * kSide + j) * du.plane + k * du.row + c);
        weight_grad_line(u, e[j]);
      }
      alignas(64) float g[9][Lanes];
      for (int r = 0; r < 3; ++r) {
        const V row[kSide] = {e[0][r], e[1][r], e[2][r], e[3][r], e[4][r], e[5][r]};
        V line[3];
        weight_grad_line(row, line);
        for (int s = 0; s < 3; ++s) store<Lanes>(g[3 * r + s], line[s]);
      }
      float* to = dw + (k * C + c) * 9;
      for (int64_t i = 0; i < Lanes; ++i)
        for (int64_t p = 0; p < 9; ++p) to[9 * i + p] = g[p][i];
    }
}

}  // namespace tandem::kernels::tiles
