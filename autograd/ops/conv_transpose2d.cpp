// Transposed 2-D convolution. It is conv2d's input gradient with other names, so its own gradients are conv2d and
// conv2d_weight_grad, and it can be differentiated as often as one likes. Read next: conv2d.cpp.
#include "common.h"

namespace tandem {

using ops::floating, ops::kInput0, ops::kInput1;

/// y[n,k,i,j] = b[k] + sum_{c,p,q,r,s} x[n,c,p,q] w[c,k,r,s], i = p*stride + r*dilation - padding, j alike
/// dx = conv2d(dy, w), dw = conv2d_weight_grad(x, dy): there dy is the image and x the gradient; db = sum dy over N, H,
/// W
Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose2dOptions& options) {
  const Array &image = floating("conv_transpose2d", "x", x), &weight = floating("conv_transpose2d", "w", w);
  Array y = kernels::conv_transpose2d(image, weight, b.defined() ? b.value() : Array(), options);
  return record(
      "conv_transpose2d", std::move(y), {x, w, b}, {Save(x, kInput1), Save(w, kInput0)},
      [options = kernels::transposed(options), shape_w = w.shape()](const Tensor& dy, const Saved& saved, Needs needs) {
        return Grads{needs[0] ? conv2d(dy, saved[1], options) : Tensor{},
                     needs[1] ? conv2d_weight_grad(saved[0], dy, shape_w, options) : Tensor{},
                     needs[2] ? sum(dy, {0, 2, 3}) : Tensor{}};
      });
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const ConvTranspose2dOptions& options) {
  return conv_transpose2d(x, w, Tensor{}, options);
}

}  // namespace tandem
