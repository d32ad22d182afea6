// Matrix products on BLAS and oneDNN. Transposed and sliced views are read where they lie when one of their last two
// strides is 1. Not here: convolution (conv2d.h). Read next: matmul.cpp, where the choice of library is a table.
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

/// y[..., m, n] = sum_k a[..., m, k] b[..., k, n]; leading dims broadcast; both have rank 2 or more. f32 on BLAS or
/// oneDNN, bf16 as bf16_matmul.h says, f16 in f32 and rounded once, f64 through reference/matmul.h. Throws Error with
/// both shapes, also for numpy's rank 1.
Array matmul(const Array& a, const Array& b);
/// y = a b where it lies, of f32: a [m, k], b [k, n], y [m, n] without gaps in row-major order. Throws Error otherwise.
void matmul_into(const Array& a, const Array& b, Array& y);
/// y[..., o] = sum_i x[..., i] w[o, i] + b[o]; b may be undefined. `slope`: gives u where the sum u > 0, else slope u;
/// 1 is the sum itself.
Array linear(const Array& x, const Array& w, const Array& b, double slope = 1);

}  // namespace tandem::kernels
