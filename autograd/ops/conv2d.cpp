// 2-D convolution. It is linear in x and in w, so its gradients are two more bilinear ops whose gradients are these
// three again: conv2d can be differentiated as often as one likes.
#include "common.h"

namespace tandem {

using ops::floating, ops::kInput0, ops::kInput1, ops::sum_as;

namespace {

/// What gradients are made by besides Tensors; those of weights have the weights' dtypes.
struct Problem {
  Problem(const Tensor& image, const Tensor& weight, const Tensor& b, const Conv2dOptions& o)
      : options(o),
        x(image.shape()),
        w(weight.shape()),
        of_w(weight.dtype()),
        of_b(b.defined() ? b.dtype() : weight.dtype()) {}

  Conv2dOptions options;
  Shape x, w;
  DType of_w, of_b;
};

/// dx = conv2d_input_grad(dy, w), dw = conv2d_weight_grad(dy, x), db = sum of dy over N, H, W
Grads gradients(const Problem& p, const Tensor& dy, const Saved& saved, Needs needs) {
  Tensor dx, dw, db;
  if (needs[0]) dx = conv2d_input_grad(dy, saved[1], p.x, p.options);
  if (needs[1] && needs[2] && !is_recording()) {
    Array bias;
    dw = Tensor(kernels::conv2d_weight_grad(dy.value(), saved[0].value(), p.w, p.options, p.of_w, &bias));
    db = Tensor(bias.to(p.of_b));
  } else {
    if (needs[1]) dw = conv2d_weight_grad(dy, saved[0], p.w, p.options, p.of_w);
    if (needs[2]) db = sum_as(dy, {0, 2, 3}, p.of_b);
  }
  return {std::move(dx), std::move(dw), std::move(db)};
}

}  // namespace

/// y[n,k,i,j] = b[k] + sum_{c,r,s} x[n,c,i*stride+r*dilation-padding,j*stride+s*dilation-padding] w[k,c,r,s]
Tensor conv2d(const Tensor& given, const Tensor& w, const Tensor& b, const Conv2dOptions& options) {
  const Tensor x = ops::autocasted(given);
  const Array &image = floating("conv2d", "x", x), &weight = floating("conv2d", "w", w);
  Array y = kernels::conv2d(image, weight, b.defined() ? b.value() : Array(), options);
  return record("conv2d", std::move(y), {x, w, b}, {Save(x, kInput1), Save(w, kInput0)},
                [p = Problem(x, w, b, options)](const Tensor& dy, const Saved& saved, Needs needs) {
                  return gradients(p, dy, saved, needs);
                });
}

Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options) {
  return conv2d(x, w, Tensor{}, options);
}

/// y = u where u > 0, else slope u, with u = conv2d(x, w, b);  du = dy where y > 0, else slope dy
Tensor conv2d_leaky_relu(const Tensor& given, const Tensor& w, const Tensor& b, const Conv2dOptions& options,
                         double slope) {
  constexpr const char* kOp = "conv2d_leaky_relu";
  ops::require_slope(kOp, slope);
  const Tensor x = ops::autocasted(given);
  const Array &image = floating(kOp, "x", x), &weight = floating(kOp, "w", w);
  Array y = kernels::conv2d(image, weight, b.defined() ? b.value() : Array(), options, slope);
  return record(kOp, std::move(y), {x, w, b}, {Save(x, kInput1), Save(w, kInput0), Save::output()},
                [p = Problem(x, w, b, options), slope](const Tensor& dy, const Saved& saved, Needs needs) {
                  return gradients(p, ops::leaky_relu_grad(dy, saved[2].value(), slope), saved, needs);
                });
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
