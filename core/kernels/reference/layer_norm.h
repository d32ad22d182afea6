// Layer normalisation by its definition, on row-major rows of n: the naive twin of layer_norm.cpp. f64 runs through it.
#pragma once

#include <cmath>
#include <cstdint>

namespace tandem::kernels::reference {

/// w and b may be null: 1 and 0.
template <class T>
void layer_norm(const T* x, const T* w, const T* b, T* y, T* mean, T* inverse, std::int64_t rows, std::int64_t n,
                double epsilon) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    T total = 0, squares = 0;
    for (std::int64_t i = 0; i < n; ++i) total += x[i];
    mean[r] = total / static_cast<T>(n);
    for (std::int64_t i = 0; i < n; ++i) squares += (x[i] - mean[r]) * (x[i] - mean[r]);
    inverse[r] = 1 / std::sqrt(squares / static_cast<T>(n) + static_cast<T>(epsilon));
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = (x[i] - mean[r]) * inverse[r] * (w == nullptr ? T(1) : w[i]) + (b == nullptr ? T(0) : b[i]);
  }
}

/// dw and db [n] are added to.
template <class T>
void layer_norm_grad(const T* dy, const T* x, const T* w, const T* mean, const T* inverse, T* dx, T* dw, T* db,
                     std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, dy += n, x += n, dx += n) {
    T total = 0, along = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const T normalised = (x[i] - mean[r]) * inverse[r], g = w == nullptr ? dy[i] : dy[i] * w[i];
      total += g, along += g * normalised;
      dw[i] += dy[i] * normalised, db[i] += dy[i];
    }
    for (std::int64_t i = 0; i < n; ++i) {
      const T normalised = (x[i] - mean[r]) * inverse[r], g = w == nullptr ? dy[i] : dy[i] * w[i];
      dx[i] = inverse[r] * (g - (total + normalised * along) / static_cast<T>(n));
    }
  }
}

}  // namespace tandem::kernels::reference
