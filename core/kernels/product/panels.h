// Products of few rows with a matrix that stays the same over many calls: the matrix is repacked once into panels of 16
// columns, which the product then reads in order. What recurrent layers multiply at every step (lstm.cpp, gru.cpp).
// f32 on one thread; the callers share panels between threads. Not here: products in general (matmul.h).
#pragma once

#include <cstdint>

namespace tandem::kernels {

inline constexpr std::int64_t kPanelColumns = 16;

/// A matrix [K, N] of float, bfloat16 or float16 where it lies: element (k, n) at data[k * k_step + n * n_step].
template <class E>
struct PanelSourceOf {
  const E* data;
  std::int64_t k_step, n_step;
};
using PanelSource = PanelSourceOf<float>;

/// panel[k][16] = w[k, j] for j < columns, else 0; K rows.
template <class E>
void pack_panel(PanelSourceOf<E> w, std::int64_t K, std::int64_t columns, float* panel);
inline void pack_panel(PanelSource w, std::int64_t K, std::int64_t columns, float* panel) {
  pack_panel<float>(w, K, columns, panel);
}

/// y[m][16] = sum_k x[m, k] panel[k][16] for m < M; rows of x are x_step apart, rows of y follow each other.
void multiply_panel(const float* x, std::int64_t x_step, const float* panel, std::int64_t M, std::int64_t K, float* y);

}  // namespace tandem::kernels
