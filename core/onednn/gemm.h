// oneDNN's f32 matrix product, without descriptors or cached state. Not here: who calls it when
// (core/kernels/product/matmul.cpp).
#pragma once

#include <cstdint>

namespace tandem::onednn {

/// Row major: y[m, n] = op(a)[m, k] op(b)[k, n] + beta y; a_step, b_step, y_step are the distances between stored rows.
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
          std::int64_t a_step, const float* b, std::int64_t b_step, float beta, float* y, std::int64_t y_step);

}  // namespace tandem::onednn
