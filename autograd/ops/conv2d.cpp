// 2-D convolution. It is linear in x and in w, so its gradients are two more bilinear ops whose gradients are these
// three again: conv2d can be differentiated as often as one likes.
#include "common.h"

namespace tandem {

using ops::floating, ops::kInput0, ops::kInput1, ops::sum_as;

/// y[n,k,i,j] = b[k] + sum_{c,r,s} x[n,c,i*stride+r*dilation-padding,j*stride+s*dilation-padding] w[k,c,r,s]
/// dx = conv2d_input_grad(dy, w), dw = conv2d_weight_grad(dy, x), db = sum of dy over N, H, W
Tensor conv2d(const Tensor& given, const Tensor& w, const Tensor& b, const Conv2dOptions& options) {
  const Tensor x = ops::autocasted(given);
  const Array &image = floating("conv2d", "x", x), &weight = floating("conv2d", "w", w);
  Array y = kernels::conv2d(image, weight, b.defined() ? b.value() : Array(), options);
  return record("conv2d", std::move(y), {x, w, b}, {Save(x, kInput1), Save(w, kInput0)},
                [options, shape_x = x.shape(), shape_w = w.shape(), of_w = w.dtype(),
                 of_b = b.defined() ? b.dtype() : w.dtype()](const Tensor& dy, const Saved& saved, Needs needs) {
                  return Grads{needs[0] ? conv2d_input_grad(dy, saved[1], shape_x, options) : Tensor{},
                               needs[1] ? conv2d_weight_grad(dy, saved[0], shape_w, options, of_w) : Tensor{},
                               needs[2] ? sum_as(dy, {0, 2, 3}, of_b) : Tensor{}};
                });
}

Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options) {
  return conv2d(x, w, Tensor{}, options);
}

/// dx, linear in dy and w. With g the gradient by dx: ddy = conv2d(g, w), dw = conv2d_weight_grad(dy, g)
Tensor conv2d_input_grad(const Tensor& dy, const Tensor& w, const Shape& x, const Conv2dOptions& options) {
  Array dx = kernels::conv2d_input_grad(floating("conv2d_input_grad", "dy", dy), floating("conv2d_input_grad", "w", w),
                                        x, options);
  return record("conv2d_input_grad", std::move(dx), {dy, w}, {Save(dy, kInput1), Save(w, kInput0)},
                [options, shape_w = w.shape(), of_w = w.dtype()](const Tensor& g, const Saved& saved, Needs needs) {
                  return Grads{needs[0] ? conv2d(g, saved[1], options) : Tensor{},
                               needs[1] ? conv2d_weight_grad(saved[0], g, shape_w, options, of_w) : Tensor{}};
                });
}

/// dw, linear in dy and x. With g the gradient by dw: ddy = conv2d(x, g), dx = conv2d_input_grad(dy, g)
Tensor conv2d_weight_grad(const Tensor& dy, const Tensor& x, const Shape& w, const Conv2dOptions& options,
                          DType dtype) {
  Array dw = kernels::conv2d_weight_grad(floating("conv2d_weight_grad", "dy", dy),
                                         floating("conv2d_weight_grad", "x", x), w, options, dtype);
  return record("conv2d_weight_grad", std::move(dw), {dy, x}, {Save(dy, kInput1), Save(x, kInput0)},
                [options, shape_x = x.shape()](const Tensor& g, const Saved& saved, Needs needs) {
                  return Grads{needs[0] ? conv2d(saved[1], g, options) : Tensor{},
                               needs[1] ? conv2d_input_grad(saved[0], g, shape_x, options) : Tensor{}};
                });
}

Tensor conv2d_weight_grad(const Tensor& dy, const Tensor& x, const Shape& w, const Conv2dOptions& options) {
  return conv2d_weight_grad(dy, x, w, options, floating("conv2d_weight_grad", "dy", dy).dtype());
}

}  // namespace tandem
