// Matrix products of numbers rounded to bf16, summed in f32: what autocast computes with. On oneDNN where the processor
// has instructions for bf16 (AVX512_BF16, AMX), else by way of f32, with the same rounding of inputs and output.
// Not here: products of equal dtypes in general (matmul.h). Read next: bf16_matmul.cpp.
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

/// Whether this processor multiplies bf16 by instructions of its own, and oneDNN uses them.
bool has_bf16_instructions();

/// y[..., m, n] = sum_k a[..., m, k] b[..., k, n] as `dtype`, f32 or bf16; leading dims broadcast. a and b are f32 or
/// bf16; f32 is rounded to bf16 first. An f32 b of rank 2 counts as weights: it is packed once per version of its
/// Storage. Throws Error with both shapes.
Array bf16_matmul(const Array& a, const Array& b, DType dtype = DType::bf16);

/// y[..., o] = sum_i x[..., i] w[o, i] + b[o] as `dtype`, f32 or bf16. x, w and b (may be undefined) are f32 or bf16; x
/// and w are rounded to bf16, w counts as weights as above, b is added in f32. `slope`: gives u where the sum u > 0,
/// else slope u; 1 is the sum itself.
Array bf16_linear(const Array& x, const Array& w, const Array& b, DType dtype = DType::bf16, double slope = 1);

}  // namespace tandem::kernels
