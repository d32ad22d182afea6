// Eight channels at a time in vectors, compiled for several instruction sets. See winograd_loops.h.
#include <tandem/core/kernels/convolution/winograd_loops.h>

#include <algorithm>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/vector_eight.h>

namespace tandem::kernels::tiles {

namespace {

TANDEM_INLINE float* place(const Planes& planes, std::int64_t tile, std::int64_t c) {
  return planes.data + c / kPanel * planes.panel + tile * planes.tile + c % kPanel;
}

}  // namespace

TANDEM_TARGETS void transform_input(const float* x, const Tiling& g, std::int64_t first, std::int64_t count,
                                    Planes planes) {
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t h0 = (first + t) / g.columns * 2 - g.top, w0 = (first + t) % g.columns * 2 - g.left;
    const bool inside = h0 >= 0 && w0 >= 0 && h0 + 4 <= g.H && w0 + 4 <= g.W;
    for (std::int64_t c = 0; c < g.C; c += kEight) {
      Eight d[4][4];
      if (inside) {
        const float* from = x + (h0 * g.W + w0) * g.C + c;
        for (int i = 0; i < 4; ++i)
          for (int j = 0; j < 4; ++j) d[i][j] = load(from + (i * g.W + j) * g.C);
      } else {
        for (int i = 0; i < 4; ++i)
          for (int j = 0; j < 4; ++j) {
            const std::int64_t h = h0 + i, w = w0 + j;
            const bool there = h >= 0 && h < g.H && w >= 0 && w < g.W;
            d[i][j] = there ? load(x + (h * g.W + w) * g.C + c) : Eight{};
          }
      }
      Eight e[4][4];
      for (int j = 0; j < 4; ++j) {
        e[0][j] = d[0][j] - d[2][j];
        e[1][j] = d[1][j] + d[2][j];
        e[2][j] = d[2][j] - d[1][j];
        e[3][j] = d[1][j] - d[3][j];
      }
      float* to = place(planes, t, c);
      for (int i = 0; i < 4; ++i, to += 4 * planes.plane) {
        store(to, e[i][0] - e[i][2]);
        store(to + planes.plane, e[i][1] + e[i][2]);
        store(to + 2 * planes.plane, e[i][2] - e[i][1]);
        store(to + 3 * planes.plane, e[i][1] - e[i][3]);
      }
    }
  }
}

TANDEM_TARGETS void transform_output(Planes planes, const Tiling& g, std::int64_t first, std::int64_t count,
                                     const float* bias, float* y) {
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t h = (first + t) / g.columns * 2, w = (first + t) % g.columns * 2;
    const bool below = h + 1 < g.H, beside = w + 1 < g.W;
    for (std::int64_t c = 0; c < g.C; c += kEight) {
      const float* from = place(planes, t, c);
      Eight e[2][4];
      for (int j = 0; j < 4; ++j, from += planes.plane) {
        const Eight m0 = load(from), m1 = load(from + 4 * planes.plane);
        const Eight m2 = load(from + 8 * planes.plane), m3 = load(from + 12 * planes.plane);
        e[0][j] = m0 + m1 + m2;
        e[1][j] = m1 - m2 - m3;
      }
      const Eight b = bias == nullptr ? Eight{} : load(bias + c);
      float* to = y + (h * g.W + w) * g.C + c;
      store(to, e[0][0] + e[0][1] + e[0][2] + b);
      if (beside) store(to + g.C, e[0][1] - e[0][2] - e[0][3] + b);
      if (!below) continue;
      to += g.W * g.C;
      store(to, e[1][0] + e[1][1] + e[1][2] + b);
      if (beside) store(to + g.C, e[1][1] - e[1][2] - e[1][3] + b);
    }
  }
}

TANDEM_TARGETS void transform_output_grad(const float* dy, const Tiling& g, std::int64_t first, std::int64_t count,
                                          Planes planes) {
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t h = (first + t) / g.columns * 2, w = (first + t) % g.columns * 2;
    const bool below = h + 1 < g.H, beside = w + 1 < g.W;
    for (std::int64_t c = 0; c < g.C; c += kEight) {
      const float* from = dy + (h * g.W + w) * g.C + c;
      const Eight d00 = load(from), d01 = beside ? load(from + g.C) : Eight{};
      const Eight d10 = below ? load(from + g.W * g.C) : Eight{};
      const Eight d11 = below && beside ? load(from + (g.W + 1) * g.C) : Eight{};
      const Eight e[4][2] = {{d00, d01}, {d00 + d10, d01 + d11}, {d00 - d10, d01 - d11}, {-d10, -d11}};
      float* to = place(planes, t, c);
      for (int i = 0; i < 4; ++i, to += 4 * planes.plane) {
        store(to, e[i][0]);
        store(to + planes.plane, e[i][0] + e[i][1]);
        store(to + 2 * planes.plane, e[i][0] - e[i][1]);
        store(to + 3 * planes.plane, -e[i][1]);
      }
    }
  }
}

TANDEM_TARGETS void transform_weights(const float* w, std::int64_t c_step, std::int64_t k_step, std::int64_t r_step,
                                      std::int64_t s_step, std::int64_t C, std::int64_t K, std::int64_t begin,
                                      std::int64_t end, float* u) {
  for (std::int64_t panel = begin; panel < end; ++panel)
    for (std::int64_t c = 0; c < C; ++c) {
      float e[kPlanes][kPanel];
      for (std::int64_t k = 0; k < kPanel; ++k) {
        const float* g = w + c * c_step + (panel * kPanel + k) * k_step;
        float rows[4][3];
        for (int s = 0; s < 3; ++s) {
          const float g0 = g[s * s_step], g1 = g[r_step + s * s_step], g2 = g[2 * r_step + s * s_step];
          rows[0][s] = g0;
          rows[1][s] = 0.5F * (g0 + g1 + g2);
          rows[2][s] = 0.5F * (g0 - g1 + g2);
          rows[3][s] = g2;
        }
        for (int i = 0; i < 4; ++i) {
          e[4 * i][k] = rows[i][0];
          e[4 * i + 1][k] = 0.5F * (rows[i][0] + rows[i][1] + rows[i][2]);
          e[4 * i + 2][k] = 0.5F * (rows[i][0] - rows[i][1] + rows[i][2]);
          e[4 * i + 3][k] = rows[i][2];
        }
      }
      for (std::int64_t p = 0; p < kPlanes; ++p)
        std::copy(e[p], e[p] + kPanel, u + p * C * K + (panel * C + c) * kPanel);
    }
}

TANDEM_TARGETS void transform_weight_grad(const float* du, std::int64_t C, std::int64_t K, std::int64_t begin,
                                          std::int64_t end, float* dw) {
  for (std::int64_t panel = begin; panel < end; ++panel)
    for (std::int64_t k = 0; k < K; ++k)
      for (std::int64_t c = 0; c < kPanel; ++c) {
        const float* u = du + ((panel * (K / kPanel) + k / kPanel) * kPanel + c) * kPanel + k % kPanel;
        float rows[3][4];
        for (int j = 0; j < 4; ++j) {
          const float u0 = u[j * C * K], u1 = u[(4 + j) * C * K], u2 = u[(8 + j) * C * K], u3 = u[(12 + j) * C * K];
          rows[0][j] = u0 + 0.5F * (u1 + u2);
          rows[1][j] = 0.5F * (u1 - u2);
          rows[2][j] = 0.5F * (u1 + u2) + u3;
        }
        float* to = dw + (k * C + panel * kPanel + c) * 9;
        for (int r = 0; r < 3; ++r) {
          to[3 * r] = rows[r][0] + 0.5F * (rows[r][1] + rows[r][2]);
          to[3 * r + 1] = 0.5F * (rows[r][1] - rows[r][2]);
          to[3 * r + 2] = 0.5F * (rows[r][1] + rows[r][2]) + rows[r][3];
        }
      }
}

TANDEM_TARGETS void multiply_panel(const float* x, const float* u, std::int64_t count, std::int64_t C, float* y,
                                   std::int64_t y_step) {
  constexpr int kRows = 6;
  std::int64_t t = 0;
  for (; t + kRows <= count; t += kRows) {
    Eight low[kRows]{}, high[kRows]{};
    const float* a = x + t * C;
    for (std::int64_t c = 0; c < C; ++c) {
      const Eight b0 = load(u + c * kPanel), b1 = load(u + c * kPanel + kEight);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        low[r] += a[r * C + c] * b0;
        high[r] += a[r * C + c] * b1;
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      store(y + (t + r) * y_step, low[r]);
      store(y + (t + r) * y_step + kEight, high[r]);
    }
  }
  for (; t < count; ++t) {
    Eight low{}, high{};
    for (std::int64_t c = 0; c < C; ++c) {
      low += x[t * C + c] * load(u + c * kPanel);
      high += x[t * C + c] * load(u + c * kPanel + kEight);
    }
    store(y + t * y_step, low);
    store(y + t * y_step + kEight, high);
  }
}

TANDEM_TARGETS void multiply_gradient_panel(const float* v, const float* m, std::int64_t count, bool add, float* du) {
  constexpr int kRows = 4;
  for (std::int64_t c = 0; c < kPanel; c += kRows) {
    Eight low[kRows]{}, high[kRows]{};
    for (std::int64_t t = 0; t < count; ++t) {
      const Eight b0 = load(m + t * kPanel), b1 = load(m + t * kPanel + kEight);
      const float* a = v + t * kPanel + c;
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        low[r] += a[r] * b0;
        high[r] += a[r] * b1;
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      float* to = du + (c + r) * kPanel;
      store(to, add ? load(to) + low[r] : low[r]);
      store(to + kEight, add ? load(to + kEight) + high[r] : high[r]);
    }
  }
}

}  // namespace tandem::kernels::tiles
