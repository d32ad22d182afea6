// Transposed 2-D convolution: the input gradient of conv2d.h, on the same implementations (oneDNN or Winograd's
// algorithm), so each output pixel sums over the windows that it would lie in:
//   y[n,k,i,j] = b[k] + sum_{c,p,q,r,s} x[n,c,p,q] w[c,k,r,s]   over  i = p*stride + r*dilation - padding,  j alike
// Its own gradients are conv2d and conv2d_weight_grad. Dtypes as there.
#pragma once

#include <tandem/core/kernels/convolution/conv2d.h>

namespace tandem {

struct ConvTranspose2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;         ///< of the convolution that this transposes: it crops y
  Size2 output_padding = 0;  ///< rows and columns more at the end; below the stride
  Size2 dilation = 1;
  std::int64_t groups = 1;
};

namespace kernels {

/// The shape rule: x [N, C, H, W], w [C, K/groups, R, S] -> [N, K, H', W'].
/// H' = (H - 1) stride - 2 padding + dilation (R - 1) + output_padding + 1. Throws Error with both shapes.
Shape conv_transpose2d_shape(const Shape& x, const Shape& w, const ConvTranspose2dOptions& options);

/// The convolution that maps y back to x: its weight is w, its input gradient is conv_transpose2d.
Conv2dOptions transposed(const ConvTranspose2dOptions& options);

/// b [K] may be undefined. `slope`: gives u where the sum u > 0, else slope u; 1 is the sum itself.
Array conv_transpose2d(const Array& x, const Array& w, const Array& b, const ConvTranspose2dOptions& options,
                       double slope = 1);

}  // namespace kernels
}  // namespace tandem
