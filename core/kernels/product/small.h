// Products of a few thousand multiplications, where the call of a library costs more than the arithmetic: vectors of
// eight columns (or rows, where there are few columns) on one thread. The naive twin is reference/matmul.h, bit for
// bit. Not here: which products are small (matmul.cpp).
#pragma once

#include <cstdint>

#include <tandem/core/kernels/reference/matmul.h>

namespace tandem::kernels {

/// The most multiplications of a small product.
inline constexpr std::int64_t kSmallProduct = 4096;

/// y[m, n] = sum_k a[m, k] b[k, n] (+ bias[n]), m n k <= kSmallProduct; y is row major. Each sum begins with its bias
/// and goes on in the order of k, every product rounded.
void multiply_small(reference::MatrixView<const float> a, reference::MatrixView<const float> b, float* y,
                    std::int64_t m, std::int64_t n, std::int64_t k, const float* bias = nullptr,
                    std::int64_t bias_step = 0);

}  // namespace tandem::kernels
