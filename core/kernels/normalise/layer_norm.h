// Layer normalisation (Ba et al. 2016): each row of the last dims by its own mean and variance.
// Fused over rows, computed in f32; f64 through reference/layer_norm.h. Beside x of bf16 or f16, parameters may be f32.
// Not here: double differentiation (autograd/ops).
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

struct LayerNormForward {
  Array y;                        ///< shape of x, row major
  Array mean, inverse_deviation;  ///< one a row, in the order of the rows; f32 for x of bf16 or f16
};
/// y = (x - mean) / sqrt(var + epsilon) w + b, mean and biased var over the last `dims` dims of x; w and b have the
/// shape of those dims, or are undefined: 1 and 0. Throws Error with the shapes when they do not fit.
LayerNormForward layer_norm(const Array& x, const Array& w, const Array& b, int dims, double epsilon);

struct LayerNormGrads {
  Array dx, dw, db;  ///< dw and db of the shape of the normalised dims
};
/// db = sum dy, dw = sum dy xhat over the rows; dx = inv (g - mean(g) - xhat mean(g xhat)), g = dy w, over each row.
LayerNormGrads layer_norm_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                               const Array& inverse_deviation, int dims);

}  // namespace tandem::kernels
