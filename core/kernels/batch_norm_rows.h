// The loops of batch normalisation over rows of C channels, f32, on one thread. Private to batch_norm.cpp.
#pragma once

#include <cstdint>

namespace tandem::kernels {

/// sums[c] = sum of x over the rows, and squares[c] = sum (x - sums[c] / rows)^2. x is read twice.
void block_moments(const float* x, std::int64_t rows, std::int64_t C, float* sums, float* squares);

/// y = (x - mean) scale + shift (+ add unless null), then max(y, 0) when `relu`.
void apply_rows(const float* x, const float* add, const float* mean, const float* scale, const float* shift, bool relu,
                float* y, std::int64_t rows, std::int64_t C);

/// db[c] += sum g and dw[c] += sum g (x - mean), g = dy where y > 0 (y null: everywhere); g goes to dadd unless null.
/// Sums in float: call it on blocks of rows.
void reduce_rows(const float* dy, const float* x, const float* y, const float* mean, float* dadd, std::int64_t rows,
                 std::int64_t C, double* db, double* dw);

/// dx = scale (g - db_mean - (x - mean) slope), g as above.
void grad_rows(const float* dy, const float* x, const float* y, const float* mean, const float* scale,
               const float* db_mean, const float* slope, float* dx, std::int64_t rows, std::int64_t C);

}  // namespace tandem::kernels
