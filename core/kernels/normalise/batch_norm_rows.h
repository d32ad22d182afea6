// The loops of batch and group normalisation over rows of C channels, f32, on one thread, and the merging of
// statistics. Private to batch_norm.cpp and group_norm.cpp. Sums stay in float over 32 rows and go on in double.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tandem::kernels {

/// Rows of a block: 64 KB, so that a second reading finds it in cache.
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

/// mean[c] over the rows and squares[c] = sum (x - mean[c])^2. x is read twice: for m near the mean, in float, and for
/// d = x - m, whose sum corrects it: mean = m + sum d / rows, squares = sum d^2 - (sum d)^2 / rows.
void block_moments(const float* x, std::int64_t rows, std::int64_t C, double* mean, double* squares);

/// y = (x - mean) scale + shift (+ add unless null), then max(y, 0) when `relu`.
void apply_rows(const float* x, const float* add, const float* mean, const float* scale, const float* shift, bool relu,
                float* y, std::int64_t rows, std::int64_t C);

/// db[c] += sum g and dw[c] += sum g (x - mean), g = 0 where y <= 0, else dy (y null: everywhere), so that what lies
/// below a NaN is not hidden; g goes to dadd unless null.
void reduce_rows(const float* dy, const float* x, const float* y, const float* mean, float* dadd, std::int64_t rows,
                 std::int64_t C, double* db, double* dw);

/// dx = scale (g - db_mean - (x - mean) slope), g as above.
void grad_rows(const float* dy, const float* x, const float* y, const float* mean, const float* scale,
               const float* db_mean, const float* slope, float* dx, std::int64_t rows, std::int64_t C);

}  // namespace tandem::kernels
