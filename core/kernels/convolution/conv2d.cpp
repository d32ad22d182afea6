// The doors of convolution: the shape rule, layouts, and who computes. f32 goes to Winograd's algorithm, to products
// over unfolded images or over the stride's phases, or to oneDNN, by a table in choice.cpp, bf16 to bf16_conv2d.cpp;
// f64, tiny problems and what oneDNN has no implementation for go to the naive twin. Read next:
// core/onednn/convolution.cpp.
#include <tandem/core/kernels/convolution/conv2d.h>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/kernels/convolution/bf16_conv2d.h>
#include <tandem/core/kernels/convolution/choice.h>
#include <tandem/core/kernels/convolution/phases.h>
#include <tandem/core/kernels/convolution/unfolding.h>
#include <tandem/core/kernels/convolution/winograd.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/epilogue.h>
#include <tandem/core/kernels/images.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/kernels/reference/conv2d.h>
#include <tandem/core/onednn/convolution.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>

namespace tandem::kernels {

namespace {

// Below this many multiply-adds the call of a primitive costs more than the work.
constexpr std::int64_t kTinyProducts = 2048;

std::string both(const Shape& x, const Shape& w) { return fmt::format("x {}, w {}", x.to_string(), w.to_string()); }

void check_options(const Conv2dOptions& o) {
  detail::require_window_size("conv2d", "stride", o.stride, 1);
  detail::require_window_size("conv2d", "dilation", o.dilation, 1);
  detail::require_window_size("conv2d", "padding", o.padding, 0);
  if (o.groups < 1) fail("conv2d", fmt::format("groups is {}, must be at least 1", o.groups));
}

/// Both of one dtype; f32 weights also with bf16 activations.
void check_dtypes(const char* where, const char* name, const Array& first, const char* other_name, const Array& other,
                  bool are_weights = false) {
  require_floating(where, name, first);
  require_defined(where, other_name, other);
  if (are_weights && first.dtype() == DType::bf16 && other.dtype() == DType::f32) return;
  if (first.dtype() != other.dtype())
    fail(where, fmt::format("{} is {}, {} is {}: they must be equal", name, tandem::name(first.dtype()), other_name,
                            tandem::name(other.dtype())));
}

void check_output(const char* where, const Array& dy, const Shape& expected, const Shape& x, const Shape& w) {
  if (dy.shape() == expected) return;
  fail(where, fmt::format("dy is {}, must be {}", dy.shape().to_string(), expected.to_string()), both(x, w));
}

bool is_tiny(const Shape& w, const Shape& y) {
  return saturating_multiply(y.count(), Shape{w[1], w[2], w[3]}.count()) < kTinyProducts;
}

Array widened(const Array& x) { return x.to(DType::f32); }

Array dense(const Array& w) { return w.is_dense() ? w : w.contiguous(); }

/// Of a convolution x, w -> y, and of each of its gradients.
profile::Work work(const Shape& x, const Shape& w, const Shape& y, DType dtype) {
  const double terms = static_cast<double>(w[1]) * static_cast<double>(w[2]) * static_cast<double>(w[3]);
  return {2 * terms * static_cast<double>(y.count()),
          profile::bytes_of(x, dtype) + profile::bytes_of(w, dtype) + profile::bytes_of(y, dtype)};
}

}  // namespace

Shape conv2d_shape(const Shape& x, const Shape& w, const Conv2dOptions& options) {
  if (x.rank() != 4) fail("conv2d", fmt::format("x has rank {}, must be [N, C, H, W]", x.rank()), both(x, w));
  if (w.rank() != 4) fail("conv2d", fmt::format("w has rank {}, must be [K, C/groups, R, S]", w.rank()), both(x, w));
  check_options(options);
  if (w[0] % options.groups != 0)
    fail("conv2d", fmt::format("w gives {} channels, which {} groups do not divide", w[0], options.groups), both(x, w));
  const std::int64_t expected = saturating_multiply(w[1], options.groups);
  if (x[1] != expected) fail("conv2d", fmt::format("x has {} channels, w expects {}", x[1], expected), both(x, w));
  const std::int64_t h = detail::count_windows(x[2], w[2], options.stride.h, options.padding.h, options.dilation.h);
  const std::int64_t v = detail::count_windows(x[3], w[3], options.stride.w, options.padding.w, options.dilation.w);
  if (h < 1 || v < 1 || w[2] < 1 || w[3] < 1)
    fail("conv2d", "the kernel is larger than the padded image",
         fmt::format("{}, padding {}, dilation {}", both(x, w), to_string(options.padding),
                     to_string(options.dilation)));
  return {x[0], w[0], h, v};
}

Array conv2d(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, double slope) {
  check_dtypes("conv2d", "x", x, "w", w, true);
  const Shape shape = conv2d_shape(x.shape(), w.shape(), options);
  if (b.defined()) {
    check_dtypes("conv2d", "x", x, "b", b, true);
    require_bias_shape("conv2d", b, w.shape(0), x.shape(), w.shape());
  }
  const profile::KernelScope profiled("conv2d", x.dtype(),
                                      [&] { return work(x.shape(), w.shape(), shape, x.dtype()); });
  if (x.dtype() == DType::bf16) return bf16_conv2d(x, w, b, options, shape, slope);
  if (x.dtype() == DType::f16) {
    profile::implementation("by way of f32");
    const Array bias = b.defined() ? widened(b) : b;
    return conv2d(widened(x), widened(w), bias, options, slope).to(DType::f16);
  }
  Array y = detail::empty_images(shape, x.dtype());
  if (y.size() == 0) return y;
  if (x.dtype() == DType::f64) {
    profile::implementation("reference");
    reference::conv2d<double>(x, w, b, options, y);
    return slope == 1 ? y : leaky_relu(y, slope);
  }
  const Array bias = b.defined() ? b.contiguous() : b;
  const Algorithm algorithm = choose_convolution(Pass::forward, x.shape(), w.shape(), options);
  if (algorithm == Algorithm::winograd) {
    profile::implementation("winograd");
    winograd(x.to_layout(Layout::channels_last), w, bias, options, slope, y);
    return y;
  }
  if (algorithm == Algorithm::unfolded) {
    profile::implementation("unfolded");
    unfolded(x.to_layout(Layout::channels_last), w, options, y);
    finish_images(y, bias, slope);
    return y;
  }
  // oneDNN's ReLU makes zeros of NaN, its leaky ReLU does not.
  const double inside = slope == 0 ? 1 : slope;
  if (x.size() == 0 || is_tiny(w.shape(), shape) ||
      !onednn::convolution(x.to_layout(Layout::channels_last), dense(w), bias, options, y,
                           static_cast<float>(inside))) {
    profile::implementation("reference");
    reference::conv2d<float>(x, w, b, options, y);
    finish_images(y, {}, slope);
  } else if (inside != slope) {
    finish_images(y, {}, slope);
  }
  return y;
}

Array conv2d_input_grad(const Array& dy, const Array& w, const Shape& x, const Conv2dOptions& options) {
  check_dtypes("conv2d_input_grad", "dy", dy, "w", w, true);
  check_output("conv2d_input_grad", dy, conv2d_shape(x, w.shape(), options), x, w.shape());
  const profile::KernelScope profiled("conv2d_input_grad", dy.dtype(),
                                      [&] { return work(x, w.shape(), dy.shape(), dy.dtype()); });
  if (dy.dtype() == DType::bf16) return bf16_conv2d_input_grad(dy, w, x, options);
  if (dy.dtype() == DType::f16) {
    profile::implementation("by way of f32");
    return conv2d_input_grad(widened(dy), widened(w), x, options).to(DType::f16);
  }
  Array dx = detail::empty_images(x, dy.dtype());
  if (dx.size() == 0) return dx;
  const Algorithm algorithm = choose_convolution(Pass::input_grad, x, w.shape(), options);
  if (dy.dtype() == DType::f64) {
    profile::implementation("reference");
    reference::conv2d_input_grad<double>(dy, w, options, dx);
  } else if (algorithm == Algorithm::winograd) {
    profile::implementation("winograd");
    winograd_input_grad(dy.to_layout(Layout::channels_last), w, options, dx);
  } else if (algorithm == Algorithm::unfolded) {
    profile::implementation("unfolded");
    folded_input_grad(dy.to_layout(Layout::channels_last), w, options, dx);
  } else if (algorithm == Algorithm::phases) {
    profile::implementation("phases of the stride");
    phased_input_grad(dy.to_layout(Layout::channels_last), w, options, dx);
  } else if (dy.size() == 0 || is_tiny(w.shape(), dy.shape()) ||
             !onednn::convolution_input_grad(dy.to_layout(Layout::channels_last), dense(w), options, dx)) {
    profile::implementation("reference");
    reference::conv2d_input_grad<float>(dy, w, options, dx);
  }
  return dx;
}

Array conv2d_weight_grad(const Array& dy, const Array& x, const Shape& w, const Conv2dOptions& options, DType dtype,
                         Array* db) {
  check_dtypes("conv2d_weight_grad", "dy", dy, "x", x);
  check_output("conv2d_weight_grad", dy, conv2d_shape(x.shape(), w, options), x.shape(), w);
  const profile::KernelScope profiled("conv2d_weight_grad", dy.dtype(),
                                      [&] { return work(x.shape(), w, dy.shape(), dy.dtype()); });
  if (dtype != dy.dtype() && (work_dtype(dy.dtype()) != DType::f32 || dtype != DType::f32))
    fail("conv2d_weight_grad", fmt::format("dw is to be {}, dy is {}", name(dtype), name(dy.dtype())),
         both(x.shape(), w));
  if (dy.dtype() == DType::bf16) {
    if (db) *db = sum(dy.to(DType::f32), {0, 2, 3}).to(dtype);
    return bf16_conv2d_weight_grad(dy, x, w, options).to(dtype);
  }
  if (dy.dtype() == DType::f16) {
    profile::implementation("by way of f32");
    const Array dw = conv2d_weight_grad(widened(dy), widened(x), w, options, DType::f32, db);
    if (db) *db = db->to(dtype);
    return dw.to(dtype);
  }
  const bool is_f32 = dy.dtype() == DType::f32;
  Array dw = Array::empty(w, dtype), bias;
  if (dw.size() == 0) {
    if (db) *db = sum(dy, {0, 2, 3});
    return dw;
  }
  const Algorithm algorithm = choose_convolution(Pass::weight_grad, x.shape(), w, options);
  if (is_f32 && algorithm == Algorithm::winograd) {
    profile::implementation("winograd");
    winograd_weight_grad(dy.to_layout(Layout::channels_last), x.to_layout(Layout::channels_last), options, dw);
  } else if (is_f32 && algorithm == Algorithm::unfolded) {
    profile::implementation("unfolded");
    unfolded_weight_grad(dy.to_layout(Layout::channels_last), x.to_layout(Layout::channels_last), options, dw);
  } else if (is_f32 && dy.size() > 0 && !is_tiny(w, dy.shape())) {
    if (db) bias = Array::empty({w[0]});
    if (!onednn::convolution_weight_grad(dy.to_layout(Layout::channels_last), x.to_layout(Layout::channels_last),
                                         options, dw, db ? &bias : nullptr)) {
      profile::implementation("reference");
      reference::conv2d_weight_grad<float>(dy, x, options, dw);
      bias = Array();
    }
  } else {
    profile::implementation("reference");
    if (is_f32)
      reference::conv2d_weight_grad<float>(dy, x, options, dw);
    else
      reference::conv2d_weight_grad<double>(dy, x, options, dw);
  }
  if (db) *db = bias.defined() ? bias : sum(dy, {0, 2, 3});
  return dw;
}

}  // namespace tandem::kernels
