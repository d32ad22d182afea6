// Products of bf16 matrices on oneDNN's matmul: finds or makes the primitive for a problem and runs it. Weights are
// packed once a version. Not here: f32 (gemm.h); checks and other dtypes (core/kernels/product/bf16_matmul.cpp).
#pragma once

#include <tandem/core/array.h>

namespace tandem::onednn {

/// y = a b + bias, summed in f32; false when the library has no implementation. a is bf16 [M, K] or [B, M, K]; b bf16
/// of the same rank, read where it lies, or f32 weights [K, N], which are packed as bf16 (packed_weights.h). The last
/// two strides of a and b are those of rows or of columns without overlap. y is row major, bf16 or f32; bias [N] f32 or
/// bf16, contiguous, or undefined.
bool matmul(const Array& a, const Array& b, const Array& bias, Array& y);

/// How many primitives are held; release drops them. The caller holds execution_mutex().
std::size_t matmul_primitives();
void release_matmul_primitives();

}  // namespace tandem::onednn
