// 2-D convolution and its two backward passes, channels-last: on oneDNN, whose weights are packed once per version, or
// by Winograd's algorithm (winograd.h) where that is faster.
//   y[n,k,i,j] = b[k] + sum_{c,r,s} x[n,c,i*stride+r*dilation-padding,j*stride+s*dilation-padding] w[k,c,r,s]
// bf16 activations go with bf16 or f32 weights, which are rounded as they are packed (bf16_conv2d.h). f16 is computed
// in f32 and rounded once. f64 runs through reference/conv2d.h, the naive twin. Read next: core/onednn.
#pragma once

#include <tandem/core/array.h>

namespace tandem {

struct Conv2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
};

namespace kernels {

/// The shape rule: x [N, C, H, W], w [K, C/groups, R, S] -> [N, K, H', W'].
/// H' = floor((H + 2 padding - dilation (R - 1) - 1) / stride) + 1. Throws Error with both shapes.
Shape conv2d_shape(const Shape& x, const Shape& w, const Conv2dOptions& options);

/// b [K] may be undefined. y has the dtype of x. `slope`: gives u where the sum u > 0, else slope u; 1 is the sum
/// itself.
Array conv2d(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, double slope = 1);
/// dx of shape x.
Array conv2d_input_grad(const Array& dy, const Array& w, const Shape& x, const Conv2dOptions& options);
/// dw of shape w, as `dtype`: that of dy and x, and for bf16 and f16 also f32, in which their sums are. Given db, it
/// becomes the gradient of b [K] as well, as `dtype`: sum dy over N, H, W.
Array conv2d_weight_grad(const Array& dy, const Array& x, const Shape& w, const Conv2dOptions& options, DType dtype,
                         Array* db = nullptr);
inline Array conv2d_weight_grad(const Array& dy, const Array& x, const Shape& w, const Conv2dOptions& options,
                                Array* db = nullptr) {
  return conv2d_weight_grad(dy, x, w, options, dy.dtype(), db);
}

}  // namespace kernels
}  // namespace tandem
