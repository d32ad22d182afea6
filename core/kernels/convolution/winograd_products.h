// The matrix products of Winograd's algorithm, as templates on the number of lanes: what winograd_loops.cpp compiles
// for each target. A block of results stays in registers while both factors stream by. Not here: products in general
// (core/kernels/product). Declarations: winograd_loops.h. Private to core/kernels.
#pragma once

#include <tandem/core/kernels/convolution/winograd_loops.h>
#include <tandem/core/kernels/pack.h>

namespace tandem::kernels::tiles {

using std::int64_t;

/// Rows and vectors of a block of results that stays in registers: 12 x 2 of 32 registers, 6 x 2 of 16.
template <int Lanes>
inline constexpr int kBlockRows = Lanes == 16 ? 12 : 6;

/// y[r][n] = sum_c x[r, c] b[n][c] for `Rows` rows and `Packs` vectors; b[n] steps by 16 floats.
template <int Lanes, int Rows, int Packs>
TANDEM_INLINE void multiply_block(const float* x, int64_t x_row, const float* const (&b)[2], int64_t C, float* y,
                                  int64_t y_row) {
  Pack<Lanes> sums[Rows][Packs]{};
  for (int64_t c = 0; c < C; ++c) {
    Pack<Lanes> w[Packs];
#pragma GCC unroll 2
    for (int n = 0; n < Packs; ++n) w[n] = load<Lanes>(b[n] + c * kPanel);
#pragma GCC unroll 12
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
      for (int n = 0; n < Packs; ++n) sums[r][n] += x[r * x_row + c] * w[n];
  }
#pragma GCC unroll 12
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int n = 0; n < Packs; ++n) store<Lanes>(y + r * y_row + n * Lanes, sums[r][n]);
}

/// multiply_block for a number of rows that is known when it runs, 1 .. Rows.
template <int Lanes, int Rows, int Packs>
TANDEM_INLINE void multiply_rows(int64_t rows, const float* x, int64_t x_row, const float* const (&b)[2], int64_t C,
                                 float* y, int64_t y_row) {
  if constexpr (Rows > 0) {
    if (rows == Rows)
      multiply_block<Lanes, Rows, Packs>(x, x_row, b, C, y, y_row);
    else
      multiply_rows<Lanes, Rows - 1, Packs>(rows, x, x_row, b, C, y, y_row);
  }
}

template <int Lanes>
TANDEM_INLINE void multiply(const float* x, int64_t x_row, const float* u, int64_t count, int64_t C, int64_t K,
                            float* y, int64_t y_row) {
  constexpr int64_t rows = kBlockRows<Lanes>;
  const int64_t blocks = (count + rows - 1) / rows;
  for (int64_t k = 0; k < K; k += 2 * Lanes) {
    const float* panel = u + k / kPanel * C * kPanel;
    const float* const b[2] = {panel, Lanes == kPanel ? panel + C * kPanel : panel + Lanes};
    const bool is_pair = k + 2 * Lanes <= K;
    for (int64_t i = 0; i < blocks; ++i) {
      const int64_t t = count * i / blocks, n = count * (i + 1) / blocks - t;
      if (is_pair)
        multiply_rows<Lanes, rows, 2>(n, x + t * x_row, x_row, b, C, y + t * y_row + k, y_row);
      else
        multiply_rows<Lanes, rows, 1>(n, x + t * x_row, x_row, b, C, y + t * y_row + k, y_row);
    }
  }
}

/// du[Rows][Packs vectors] (+)= sum_t m[t, Rows] v[t, Packs vectors].
template <int Lanes, int Rows, int Packs>
TANDEM_INLINE void gradient_block(const float* m, int64_t m_row, const float* v, int64_t v_row, int64_t count, bool add,
                                  float* du, int64_t du_row) {
  Pack<Lanes> sums[Rows][Packs]{};
  for (int64_t t = 0; t < count; ++t) {
    Pack<Lanes> x[Packs];
#pragma GCC unroll 3
    for (int n = 0; n < Packs; ++n) x[n] = load<Lanes>(v + t * v_row + n * Lanes);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
      for (int n = 0; n < Packs; ++n) sums[r][n] += m[t * m_row + r] * x[n];
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int n = 0; n < Packs; ++n) {
      float* to = du + r * du_row + n * Lanes;
      store<Lanes>(to, add ? load<Lanes>(to) + sums[r][n] : sums[r][n]);
    }
}

template <int Lanes>
TANDEM_INLINE void multiply_gradient(const float* m, int64_t m_row, const float* v, int64_t v_row, int64_t count,
                                     int64_t begin, int64_t end, int64_t C, bool add, float* du, int64_t du_row) {
  // Sums in registers: 8 x 2 vectors of 32, 4 x 3 of 16.
  constexpr int rows = Lanes == 16 ? 8 : 4, packs = Lanes == 16 ? 2 : 3;
  for (int64_t c = 0; c < C; c += packs * Lanes)
    for (int64_t k = begin; k < end; k += rows) {
      const float* const left = m + k;
      float* const to = du + k * du_row + c;
      if (c + packs * Lanes <= C)
        gradient_block<Lanes, rows, packs>(left, m_row, v + c, v_row, count, add, to, du_row);
      else if (c + 2 * Lanes <= C)
        gradient_block<Lanes, rows, 2>(left, m_row, v + c, v_row, count, add, to, du_row);
      else
        gradient_block<Lanes, rows, 1>(left, m_row, v + c, v_row, count, add, to, du_row);
    }
}

}  // namespace tandem::kernels::tiles
