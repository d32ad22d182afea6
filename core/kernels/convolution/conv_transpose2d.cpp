// The shape rule and the bias of the transposed convolution; the sums are conv2d_input_grad's, so its choices between
// Winograd's algorithm, oneDNN and the naive twin hold here too. See conv_transpose2d.h.
#include <tandem/core/kernels/convolution/conv_transpose2d.h>

#include <fmt/format.h>

#include <algorithm>

#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/epilogue.h>
#include <tandem/core/kernels/images.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>

namespace tandem::kernels {

namespace {

constexpr const char* kOp = "conv_transpose2d";

std::string both(const Shape& x, const Shape& w) { return fmt::format("x {}, w {}", x.to_string(), w.to_string()); }

void check_options(const ConvTranspose2dOptions& o) {
  detail::require_window_size(kOp, "stride", o.stride, 1);
  detail::require_window_size(kOp, "dilation", o.dilation, 1);
  detail::require_window_size(kOp, "padding", o.padding, 0);
  detail::require_window_size(kOp, "output_padding", o.output_padding, 0);
  if (o.groups < 1) fail(kOp, fmt::format("groups is {}, must be at least 1", o.groups));
  if (o.output_padding.h >= o.stride.h || o.output_padding.w >= o.stride.w)
    fail(kOp, fmt::format("output_padding is {}, must be below the stride", to_string(o.output_padding)),
         fmt::format("stride {}", to_string(o.stride)));
}

std::int64_t output_size(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                         std::int64_t output_padding, std::int64_t dilation) {
  const std::int64_t reached = saturating_add(saturating_multiply(size - 1, stride), output_padding);
  return saturating_add(reached, saturating_add(saturating_multiply(dilation, kernel - 1), 1)) - 2 * padding;
}

}  // namespace

Shape conv_transpose2d_shape(const Shape& x, const Shape& w, const ConvTranspose2dOptions& o) {
  if (x.rank() != 4) fail(kOp, fmt::format("x has rank {}, must be [N, C, H, W]", x.rank()), both(x, w));
  if (w.rank() != 4) fail(kOp, fmt::format("w has rank {}, must be [C, K/groups, R, S]", w.rank()), both(x, w));
  check_options(o);
  if (x[1] != w[0]) fail(kOp, fmt::format("x has {} channels, w expects {}", x[1], w[0]), both(x, w));
  if (x[1] % o.groups != 0)
    fail(kOp, fmt::format("x has {} channels, which {} groups do not divide", x[1], o.groups), both(x, w));
  if (x[2] < 1 || x[3] < 1 || w[1] < 1 || w[2] < 1 || w[3] < 1)
    fail(kOp, "image and kernel must not be empty", both(x, w));
  const std::int64_t h = output_size(x[2], w[2], o.stride.h, o.padding.h, o.output_padding.h, o.dilation.h);
  const std::int64_t v = output_size(x[3], w[3], o.stride.w, o.padding.w, o.output_padding.w, o.dilation.w);
  if (h < 1 || v < 1)
    fail(kOp, "the padding leaves nothing of the image",
         fmt::format("{}, padding {}", both(x, w), to_string(o.padding)));
  return {x[0], saturating_multiply(w[1], o.groups), h, v};
}

Conv2dOptions transposed(const ConvTranspose2dOptions& o) {
  return {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups};
}

Array conv_transpose2d(const Array& x, const Array& w, const Array& b, const ConvTranspose2dOptions& options,
                       double slope) {
  require_floating(kOp, "x", x);
  const auto require_weights = [&x](const char* name, const Array& v) {
    if (x.dtype() != DType::bf16 || !v.defined() || v.dtype() != DType::f32) require_dtype(kOp, name, v, x.dtype());
  };
  require_weights("w", w);
  const Shape shape = conv_transpose2d_shape(x.shape(), w.shape(), options);
  if (b.defined()) {
    require_weights("b", b);
    require_bias_shape(kOp, b, shape[1], x.shape(), w.shape());
  }
  const profile::KernelScope profiled("conv_transpose2d", x.dtype(), [&] {
    const double terms = static_cast<double>(w.size()) / static_cast<double>(std::max<std::int64_t>(1, w.shape(0)));
    return profile::Work{2 * terms * static_cast<double>(x.size()),
                         profile::bytes(x, w, profile::bytes_of(shape, x.dtype()))};
  });
  if (x.dtype() == DType::f16) {
    profile::implementation("by way of f32");
    const Array bias = b.defined() ? b.to(DType::f32) : b;
    return conv_transpose2d(x.to(DType::f32), w.to(DType::f32), bias, options, slope).to(DType::f16);
  }
  Array y = conv2d_input_grad(x, w, shape, transposed(options));
  if (y.dtype() == DType::f32) {
    finish_images(y, b, slope);
    return y;
  }
  if (b.defined()) add_into(y, b.to(y.dtype()).reshape({1, shape[1], 1, 1}).expand(shape));
  return slope == 1 ? y : leaky_relu(y, slope);
}

}  // namespace tandem::kernels
