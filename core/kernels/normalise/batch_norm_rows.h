// The loops of batch and group normalisation over rows of C channels, on one thread, and the merging of statistics.
// Elements E are float, bfloat16 or float16; what is computed and given by channel is float. Private to batch_norm.cpp
// and group_norm.cpp. Sums stay in float over 32 rows, even and odd ones apart, and go on in double.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tandem::kernels {

/// Rows of a block: 64 KB of floats, so that a second reading finds it in cache.
inline std::int64_t block_rows(std::int64_t C) { return std::clamp<std::int64_t>(16384 / C, 8, 512); }

/// Mean and sum of squares about it of `count` values, merged in double (Chan, Golub & LeVeque 1979), so that a large
/// mean does not cancel.
struct Moments {
  double count = 0, mean = 0, squares = 0;

  void merge(double other_count, double other_mean, double other_squares) {
    const double all = count + other_count, difference = other_mean - mean;
    mean += difference * other_count / all;
    squares += other_squares + difference * difference * count * other_count / all;
    count = all;
  }
};

/// The same for each of C channels, all of `count` values: what a new block changes, the divisions once for all.
void merge_moments(double count, double* mean, double* squares, double other_count, const double* other_mean,
                   const double* other_squares, std::int64_t C);

/// mean[c] over the rows and squares[c] = sum (x - mean[c])^2. x is read twice: for m near the mean, in float, and for
/// d = x - m, whose sum corrects it: mean = m + sum d / rows, squares = sum d^2 - (sum d)^2 / rows.
template <class E>
void block_moments(const E* x, std::int64_t rows, std::int64_t C, double* mean, double* squares);

/// y = (x - mean) scale + shift (+ add unless null), then max(y, 0) when `relu`.
template <class E>
void apply_rows(const E* x, const E* add, const float* mean, const float* scale, const float* shift, bool relu, E* y,
                std::int64_t rows, std::int64_t C);

/// Where a ReLU after the normalisation lets gradients pass: all but y <= 0, so that what lies below a NaN is not
/// hidden. y is the output, or apply_rows' v = (x - mean) scale + shift again, the same float; neither: everywhere.
template <class E>
struct ReluMask {
  const E* y = nullptr;
  const float *scale = nullptr, *shift = nullptr;

  ReluMask from(std::int64_t i) const { return {y == nullptr ? nullptr : y + i, scale, shift}; }
};

/// db[c] += sum g and dw[c] += sum g (x - mean), g = dy where the mask lets it pass, else 0; g goes to dadd unless
/// null.
template <class E>
void reduce_rows(const E* dy, const E* x, const ReluMask<E>& mask, const float* mean, E* dadd, std::int64_t rows,
                 std::int64_t C, double* db, double* dw);

/// dx = scale (g - db_mean - (x - mean) slope), g as above.
template <class E>
void grad_rows(const E* dy, const E* x, const ReluMask<E>& mask, const float* mean, const float* scale,
               const float* db_mean, const float* slope, E* dx, std::int64_t rows, std::int64_t C);

}  // namespace tandem::kernels
