// Transposed 2-D convolution. It is conv2d's input gradient with other names, so its own gradients are conv2d and
// conv2d_weight_grad, and it can be differentiated as often as one likes. Read next: conv2d.cpp.
#include <algorithm>
#include <vector>

#include <tandem/core/kernels/epilogue.h>

#include "common.h"

namespace tandem {

using ops::floating, ops::kInput0, ops::kInput1;

namespace {

bool is_padded_beyond_stride(const ConvTranspose2dOptions& options) {
  const Size2 more = options.output_padding, stride = options.stride, dilation = options.dilation;
  const bool is_below_dilation = more.h < std::max(stride.h, dilation.h) && more.w < std::max(stride.w, dilation.w);
  return is_below_dilation && (more.h >= stride.h || more.w >= stride.w);
}

/// An output padding that reaches the stride, though not the dilation, belongs to no convolution back. y then is a
/// part of the output without paddings: its pixels from `padding` on, zeros beyond the end.
Tensor padded_beyond_stride(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose2dOptions& options) {
  ConvTranspose2dOptions whole = options;
  whole.padding = whole.output_padding = 0;
  Tensor y = conv_transpose2d(x, w, whole);
  if (b.defined()) kernels::require_bias_shape("conv_transpose2d", b.value(), y.shape(1), x.shape(), w.shape());
  const auto part = [&y](int dim, std::int64_t padding, std::int64_t more) {
    const std::int64_t end = y.shape(dim) - padding + more, inside = std::min(end, y.shape(dim));
    if (end <= padding) fail("conv_transpose2d", "y would be empty", "without padding it is " + to_string(y.shape()));
    y = slice(y, dim, padding, inside);
    std::vector<std::int64_t> after(4, 0);
    after[static_cast<std::size_t>(dim)] = end - inside;
    if (end > inside) y = pad(y, {0, 0, 0, 0}, after);
  };
  part(2, options.padding.h, options.output_padding.h);
  part(3, options.padding.w, options.output_padding.w);
  return b.defined() ? y + reshape(to(b, y.dtype()), {1, b.size(), 1, 1}) : y;
}

/// The convolution that maps y back to x; gradients of weights have the weights' dtypes.
struct Back {
  Back(const Tensor& weight, const Tensor& b, const ConvTranspose2dOptions& o)
      : options(kernels::transposed(o)),
        w(weight.shape()),
        of_w(weight.dtype()),
        of_b(b.defined() ? b.dtype() : weight.dtype()) {}

  Conv2dOptions options;
  Shape w;
  DType of_w, of_b;
};

/// dx = conv2d(dy, w), dw = conv2d_weight_grad(x, dy): there dy is the image and x the gradient; db = sum dy over N, H,
/// W
Grads gradients(const Back& back, const Tensor& dy, const Saved& saved, Needs needs) {
  return {needs[0] ? conv2d(dy, saved[1], back.options) : Tensor{},
          needs[1] ? conv2d_weight_grad(saved[0], dy, back.w, back.options, back.of_w) : Tensor{},
          needs[2] ? ops::sum_as(dy, {0, 2, 3}, back.of_b) : Tensor{}};
}

}  // namespace

/// y[n,k,i,j] = b[k] + sum_{c,p,q,r,s} x[n,c,p,q] w[c,k,r,s], i = p*stride + r*dilation - padding, j alike
Tensor conv_transpose2d(const Tensor& given, const Tensor& w, const Tensor& b, const ConvTranspose2dOptions& options) {
  const Tensor x = ops::autocasted(given);
  const Array &image = floating("conv_transpose2d", "x", x), &weight = floating("conv_transpose2d", "w", w);
  if (is_padded_beyond_stride(options)) return padded_beyond_stride(x, w, b, options);
  Array y = kernels::conv_transpose2d(image, weight, b.defined() ? b.value() : Array(), options);
  return record("conv_transpose2d", std::move(y), {x, w, b}, {Save(x, kInput1), Save(w, kInput0)},
                [back = Back(w, b, options)](const Tensor& dy, const Saved& saved, Needs needs) {
                  return gradients(back, dy, saved, needs);
                });
}

/// y = u where u > 0, else slope u, with u = conv_transpose2d(x, w, b);  du = dy where y > 0, else slope dy
Tensor conv_transpose2d_leaky_relu(const Tensor& given, const Tensor& w, const Tensor& b,
                                   const ConvTranspose2dOptions& options, double slope) {
  constexpr const char* kOp = "conv_transpose2d_leaky_relu";
  ops::require_slope(kOp, slope);
  const Tensor x = ops::autocasted(given);
  const Array &image = floating(kOp, "x", x), &weight = floating(kOp, "w", w);
  if (is_padded_beyond_stride(options)) return leaky_relu(padded_beyond_stride(x, w, b, options), slope);
  Array y = kernels::conv_transpose2d(image, weight, b.defined() ? b.value() : Array(), options, slope);
  return record(kOp, std::move(y), {x, w, b}, {Save(x, kInput1), Save(w, kInput0), Save::output()},
                [back = Back(w, b, options), slope](const Tensor& dy, const Saved& saved, Needs needs) {
                  return gradients(back, ops::leaky_relu_grad(dy, saved[2].value(), slope), saved, needs);
                });
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const ConvTranspose2dOptions& options) {
  return conv_transpose2d(x, w, Tensor{}, options);
}

}  // namespace tandem
