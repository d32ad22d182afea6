// Matrix<T>: a row-major matrix in memory of somebody else, and the products that formulas of whole tensors need. They
// allocate nothing, and give the same bits for every number of threads and instruction set: each number is one sum over
// k in order. Products of networks are core's (core/kernels/matmul.h).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <tandem/core/dispatch.h>
#include <tandem/core/threads.h>
#include <tandem/optim/engine/squares.h>

namespace tandem {

template <class T>
struct Matrix {
  T* data;
  std::int64_t rows, columns;

  std::int64_t size() const { return rows * columns; }
  T& operator()(std::int64_t i, std::int64_t j) const { return data[i * columns + j]; }
};

namespace detail {

/// Rows [begin, end) of c [m, n] = a [m, k] b [k, n], kRows at a time and kVectors vectors wide.
template <class T, int kRows>
TANDEM_INLINE void multiply_rows(T* c, const T* a, const T* b, std::int64_t n, std::int64_t k) {
  typedef T Vector __attribute__((vector_size(32)));
  constexpr std::int64_t kLanes = 32 / sizeof(T), kVectors = 2;
  std::int64_t j = 0;
  for (; j + kVectors * kLanes <= n; j += kVectors * kLanes) {
    Vector sum[kRows][kVectors] = {};
    for (std::int64_t p = 0; p < k; ++p) {
      Vector right[kVectors];
      std::memcpy(&right, b + p * n + j, sizeof right);
      for (int r = 0; r < kRows; ++r) {
        const T left = a[r * k + p];
        for (int v = 0; v < kVectors; ++v) sum[r][v] += left * right[v];
      }
    }
    for (int r = 0; r < kRows; ++r) std::memcpy(c + r * n + j, &sum[r], sizeof sum[r]);
  }
  for (; j < n; ++j) {
    for (int r = 0; r < kRows; ++r) {
      T sum = 0;
      for (std::int64_t p = 0; p < k; ++p) sum += a[r * k + p] * b[p * n + j];
      c[r * n + j] = sum;
    }
  }
}

template <class T>
TANDEM_TARGETS void multiply_part(T* c, const T* a, const T* b, std::int64_t m, std::int64_t n, std::int64_t k) {
  constexpr int kRows = 4;
  std::int64_t i = 0;
  for (; i + kRows <= m; i += kRows) multiply_rows<T, kRows>(c + i * n, a + i * k, b, n, k);
  for (; i < m; ++i) multiply_rows<T, 1>(c + i * n, a + i * k, b, n, k);
}

}  // namespace detail

/// c [m, n] = a [m, k] b [k, n]; c is apart from both.
template <class T>
void multiply(const Matrix<T>& c, const Matrix<T>& a, const Matrix<T>& b) {
  const std::int64_t n = c.columns, k = a.columns;
  constexpr std::int64_t kRows = 4, kWork = 100'000;  // below, a second thread costs more than it gives
  const std::int64_t grain = 1 + kWork / std::max<std::int64_t>(1, kRows * n * k);
  parallel_for((c.rows + kRows - 1) / kRows, grain, [&](std::int64_t first, std::int64_t last) {
    const std::int64_t begin = first * kRows, end = std::min(c.rows, last * kRows);
    detail::multiply_part<T>(c.data + begin * n, a.data + begin * k, b.data, end - begin, n, k);
  });
}

/// to [n, m] = the transpose of from [m, n].
template <class T>
void transpose(const Matrix<T>& to, const Matrix<T>& from) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t i0 = 0; i0 < from.rows; i0 += kTile) {
    for (std::int64_t j0 = 0; j0 < from.columns; j0 += kTile) {
      for (std::int64_t i = i0; i < std::min(from.rows, i0 + kTile); ++i) {
        for (std::int64_t j = j0; j < std::min(from.columns, j0 + kTile); ++j) to(j, i) = from(i, j);
      }
    }
  }
}

/// c [m, n] = a [m, k] b^T, b [n, k]; `work` has room for b.
template <class T>
void multiply_transposed(const Matrix<T>& c, const Matrix<T>& a, const Matrix<T>& b, T* work) {
  const Matrix<T> turned{work, b.columns, b.rows};
  transpose(turned, b);
  multiply(c, a, turned);
}

/// to := from, or its transpose where that has to's shape and from has not.
template <class T>
void turn(const Matrix<T>& to, const Matrix<T>& from) {
  if (to.rows == from.rows) {
    std::copy(from.data, from.data + from.size(), to.data);
  } else {
    transpose(to, from);
  }
}

/// to := a x + b y, elementwise; to may be x or y.
template <class T>
void combine(const Matrix<T>& to, double a, const Matrix<T>& x, double b, const Matrix<T>& y) {
  const T first = static_cast<T>(a), second = static_cast<T>(b);
  for (std::int64_t i = 0; i < to.size(); ++i) to.data[i] = first * x.data[i] + second * y.data[i];
}

template <class T>
void scale(const Matrix<T>& x, double factor) {
  for (std::int64_t i = 0; i < x.size(); ++i) x.data[i] *= static_cast<T>(factor);
}

/// The 2-norm of n numbers (of a matrix: Frobenius'), summed in double.
template <class T>
double norm(const T* x, std::int64_t n) {
  return detail::squares_pass<T>(x, n).norm();
}

}  // namespace tandem
