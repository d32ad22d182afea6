// The naive twins of softmax and its kin on row-major [rows, n], in double whatever the scalar.
// f64 runs through them; tests hold the fast f32 rows against them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tandem::kernels::reference {

/// m = max_i x_i and log sum_i e^{x_i - m}: apart, because beside an m of -1e9 their sum would round the second away.
struct LogSum {
  double largest, log_total;
};
template <class T>
LogSum log_sum_exp(const T* x, std::int64_t n) {
  double largest = static_cast<double>(x[0]);
  for (std::int64_t i = 1; i < n; ++i) largest = std::max(largest, static_cast<double>(x[i]));
  double total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += std::exp(static_cast<double>(x[i]) - largest);
  return {largest, std::log(total)};
}

template <class T>
void log_softmax(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const auto [largest, log_total] = log_sum_exp(x, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<T>((static_cast<double>(x[i]) - largest) - log_total);
  }
}

template <class T>
void softmax(const T* x, T* y, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const auto [largest, log_total] = log_sum_exp(x, n);
    for (std::int64_t i = 0; i < n; ++i) {
      y[i] = static_cast<T>(std::exp((static_cast<double>(x[i]) - largest) - log_total));
    }
  }
}

template <class T>
void softmax_grad(const T* dy, const T* y, T* dx, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, dy += n, y += n, dx += n) {
    double total = 0;
    for (std::int64_t i = 0; i < n; ++i) total += static_cast<double>(dy[i]) * static_cast<double>(y[i]);
    for (std::int64_t i = 0; i < n; ++i) {
      dx[i] = static_cast<T>(static_cast<double>(y[i]) * (static_cast<double>(dy[i]) - total));
    }
  }
}

template <class T>
void log_softmax_grad(const T* dy, const T* y, T* dx, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, dy += n, y += n, dx += n) {
    double total = 0;
    for (std::int64_t i = 0; i < n; ++i) total += static_cast<double>(dy[i]);
    for (std::int64_t i = 0; i < n; ++i) {
      dx[i] = static_cast<T>(static_cast<double>(dy[i]) - std::exp(static_cast<double>(y[i])) * total);
    }
  }
}

}  // namespace tandem::kernels::reference
