// One product of f32 matrices, by whom it is computed fastest. Private to core/kernels. Not here: Arrays, batches,
// other dtypes (matmul.cpp).
#pragma once

#include <cstdint>

#include <tandem/core/array.h>
#include <tandem/core/kernels/reference/matmul.h>

namespace tandem::kernels::detail {

/// Whether multiply_small (small.h) computes it: strides are free then.
bool is_small(std::int64_t m, std::int64_t n, std::int64_t k);

/// x, or a copy of it that multiply can read: rows or columns of each matrix without gaps.
Array readable(const Array& x);

/// y[m, n] = a b (+ what y holds, when `add`) by a library, a and b readable, m n k > 0; y is row major without gaps.
void multiply(reference::MatrixView<const float> a, reference::MatrixView<const float> b, float* y, std::int64_t m,
              std::int64_t n, std::int64_t k, bool add);

/// One product of either kind; sums of no terms are zero.
void product(reference::MatrixView<const float> a, reference::MatrixView<const float> b, float* y, std::int64_t m,
             std::int64_t n, std::int64_t k);

}  // namespace tandem::kernels::detail
