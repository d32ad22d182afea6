// The matrix product as its definition reads, a template on the scalar, any strides: the naive twin of matmul.cpp.
// f64 runs through it, and products too small for a library.
#pragma once

#include <cstdint>

namespace tandem::kernels::reference {

/// A matrix where it lies: element (i, j) at data[i * row + j * column].
template <class T>
struct MatrixView {
  T* data;
  std::int64_t row, column;
};

/// y[m, n] = sum_k a[m, k] b[k, n] (+ bias[n]).
template <class T>
void matmul(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> y, std::int64_t m, std::int64_t n,
            std::int64_t k, const T* bias = nullptr, std::int64_t bias_stride = 0) {
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      T sum = bias == nullptr ? T(0) : bias[j * bias_stride];
      for (std::int64_t l = 0; l < k; ++l) sum += a.data[i * a.row + l * a.column] * b.data[l * b.row + j * b.column];
      y.data[i * y.row + j * y.column] = sum;
    }
}

}  // namespace tandem::kernels::reference
