// Pooling on channels-last memory: a window's places are rows of C neighbouring numbers, so every loop runs over C.
// f32 here, threaded over rows of windows or images; other floats through reference/pool2d.h, the naive twin.
#include <tandem/core/kernels/pool/pool2d.h>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/images.h>
#include <tandem/core/kernels/reference/pool2d.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kGrain = 16384;  // numbers a thread should at least handle
constexpr std::int64_t kTermsInFloat = 32;

Pool2dOptions with_stride(Pool2dOptions o) {
  o.stride = {o.stride.h == 0 ? o.kernel.h : o.stride.h, o.stride.w == 0 ? o.kernel.w : o.stride.w};
  return o;
}

/// The sizes of one pooling, and the part of window (i, j) inside the image.
struct Geometry {
  std::int64_t C, H, W, P, Q;
  Pool2dOptions o;

  Geometry(const Shape& x, const Shape& y, const Pool2dOptions& options)
      : C(x[1]), H(x[2]), W(x[3]), P(y[2]), Q(y[3]), o(options) {}

  std::int64_t top(std::int64_t i) const { return i * o.stride.h - o.padding.h; }
  std::int64_t left(std::int64_t j) const { return j * o.stride.w - o.padding.w; }

  /// f(place, offset of the row of C numbers in an image) for the places of window (i, j), in order.
  template <class F>
  TANDEM_INLINE void each_place(std::int64_t i, std::int64_t j, F&& f) const {
    const std::int64_t h0 = top(i), w0 = left(j);
    const std::int64_t r1 = std::min(o.kernel.h, H - h0), s1 = std::min(o.kernel.w, W - w0);
    for (std::int64_t r = std::max<std::int64_t>(0, -h0); r < r1; ++r)
      for (std::int64_t s = std::max<std::int64_t>(0, -w0); s < s1; ++s)
        f(r * o.kernel.w + s, ((h0 + r) * W + w0 + s) * C);
  }

  double factor(std::int64_t i, std::int64_t j) const {
    const std::int64_t rows = std::min(top(i) + o.kernel.h, H) - std::max<std::int64_t>(top(i), 0);
    const std::int64_t columns = std::min(left(j) + o.kernel.w, W) - std::max<std::int64_t>(left(j), 0);
    const std::int64_t places = o.count_padding ? o.kernel.h * o.kernel.w : std::max<std::int64_t>(rows * columns, 1);
    return 1.0 / static_cast<double>(places);
  }
  /// Places of the largest window inside the image.
  std::int64_t most_places() const { return std::min(o.kernel.h, H) * std::min(o.kernel.w, W); }
};

TANDEM_TARGETS void max_row(const Geometry& g, const float* x, std::int64_t i, float* y, std::uint8_t* chosen) {
  for (std::int64_t j = 0; j < g.Q; ++j, y += g.C, chosen += g.C) {
    bool first = true;
    g.each_place(
        i, j, [&](std::int64_t place, std::int64_t at) __attribute__((always_inline)) {
          const float* row = x + at;
          const auto p = static_cast<std::uint8_t>(place);
          for (std::int64_t c = 0; c < g.C; ++c) {
            const float v = row[c];
            const bool wins = first || v > y[c] || (v != v && y[c] == y[c]);
            y[c] = wins ? v : y[c];
            chosen[c] = wins ? p : chosen[c];
          }
          first = false;
        });
  }
}

TANDEM_TARGETS void max_grad_image(const Geometry& g, const float* dy, const std::uint8_t* chosen, float* dx) {
  std::fill(dx, dx + g.H * g.W * g.C, 0.0F);
  for (std::int64_t i = 0; i < g.P; ++i)
    for (std::int64_t j = 0; j < g.Q; ++j, dy += g.C, chosen += g.C)
      g.each_place(
          i, j, [&](std::int64_t place, std::int64_t at) __attribute__((always_inline)) {
            float* row = dx + at;
            const auto p = static_cast<std::uint8_t>(place);
            for (std::int64_t c = 0; c < g.C; ++c) row[c] += chosen[c] == p ? dy[c] : 0.0F;
          });
}

TANDEM_TARGETS void take_row(const Geometry& g, const float* x, const std::uint8_t* chosen, std::int64_t i, float* y) {
  for (std::int64_t j = 0; j < g.Q; ++j, y += g.C, chosen += g.C)
    g.each_place(
        i, j, [&](std::int64_t place, std::int64_t at) __attribute__((always_inline)) {
          const float* row = x + at;
          const auto p = static_cast<std::uint8_t>(place);
          for (std::int64_t c = 0; c < g.C; ++c) y[c] = chosen[c] == p ? row[c] : y[c];
        });
}

/// Sums of a window in float for at most kTermsInFloat places, else on in `totals` [C].
TANDEM_TARGETS void average_row(const Geometry& g, const float* x, std::int64_t i, float* y, double* totals) {
  for (std::int64_t j = 0; j < g.Q; ++j, y += g.C) {
    std::fill(y, y + g.C, 0.0F);
    if (totals != nullptr) std::fill(totals, totals + g.C, 0.0);
    std::int64_t terms = 0;
    g.each_place(
        i, j, [&](std::int64_t, std::int64_t at) __attribute__((always_inline)) {
          if (terms++ == kTermsInFloat) {
            for (std::int64_t c = 0; c < g.C; ++c) totals[c] += static_cast<double>(y[c]), y[c] = 0;
            terms = 1;
          }
          for (std::int64_t c = 0; c < g.C; ++c) y[c] += x[at + c];
        });
    const double factor = g.factor(i, j);
    for (std::int64_t c = 0; c < g.C; ++c)
      y[c] = static_cast<float>((static_cast<double>(y[c]) + (totals == nullptr ? 0.0 : totals[c])) * factor);
  }
}

TANDEM_TARGETS void average_grad_image(const Geometry& g, const float* dy, float* dx) {
  std::fill(dx, dx + g.H * g.W * g.C, 0.0F);
  for (std::int64_t i = 0; i < g.P; ++i)
    for (std::int64_t j = 0; j < g.Q; ++j, dy += g.C) {
      const auto factor = static_cast<float>(g.factor(i, j));
      g.each_place(
          i, j, [&](std::int64_t, std::int64_t at) __attribute__((always_inline)) {
            float* row = dx + at;
            for (std::int64_t c = 0; c < g.C; ++c) row[c] += factor * dy[c];
          });
    }
}

/// f(image n, row i of windows, offset of that row in an output).
template <class F>
void each_row(const Geometry& g, std::int64_t N, F&& f) {
  const std::int64_t row = g.Q * g.C, work = std::max<std::int64_t>(1, saturating_multiply(row, g.most_places()));
  parallel_for(N * g.P, std::max<std::int64_t>(1, kGrain / work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) f(at / g.P, at % g.P, at * row);
  });
}

template <class F>
void each_image(const Geometry& g, std::int64_t N, F&& f) {
  const std::int64_t windows = saturating_multiply(g.P * g.Q * g.C, g.most_places());
  const std::int64_t work = std::max<std::int64_t>(1, saturating_add(g.H * g.W * g.C, windows));
  parallel_for(N, std::max<std::int64_t>(1, kGrain / work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) f(n);
  });
}

}  // namespace

Shape pool2d_shape(const char* where, const Shape& x, const Pool2dOptions& options) {
  const Pool2dOptions o = with_stride(options);
  if (x.rank() != 4) fail(where, fmt::format("x is {}, must be [N, C, H, W]", x.to_string()));
  detail::require_window_size(where, "kernel", o.kernel, 1);
  detail::require_window_size(where, "stride", o.stride, 1);
  detail::require_window_size(where, "padding", o.padding, 0);
  if (o.padding.h >= o.kernel.h || o.padding.w >= o.kernel.w)
    fail(where, fmt::format("padding is {}, must be below the kernel {}", to_string(o.padding), to_string(o.kernel)));
  if (x[2] < 1 || x[3] < 1) fail(where, fmt::format("x is {}, its images must not be empty", x.to_string()));
  const std::int64_t h = detail::count_windows(x[2], o.kernel.h, o.stride.h, o.padding.h);
  const std::int64_t w = detail::count_windows(x[3], o.kernel.w, o.stride.w, o.padding.w);
  if (h < 1 || w < 1)
    fail(where, "the kernel is larger than the padded image",
         fmt::format("x {}, kernel {}, padding {}", x.to_string(), to_string(o.kernel), to_string(o.padding)));
  return {x[0], x[1], h, w};
}

std::pair<Array, Array> max_pool2d(const Array& x, const Pool2dOptions& options) {
  const profile::KernelScope profiled("max_pool2d", x.dtype(), [&] { return profile::moves(x); });
  require_floating("max_pool2d", "x", x);
  const Pool2dOptions o = with_stride(options);
  const Shape shape = pool2d_shape("max_pool2d", x.shape(), o);
  if (o.kernel.h * o.kernel.w > 256)
    fail("max_pool2d", fmt::format("kernel {} has more than 256 places", to_string(o.kernel)));
  if (x.dtype() == DType::bf16) {
    auto [y, chosen] = max_pool2d(x.to(DType::f32), o);
    return {y.to(DType::bf16), chosen};
  }
  Array y = detail::empty_images(shape, x.dtype()), chosen = detail::empty_images(shape, DType::u8);
  if (x.dtype() == DType::f64) {
    reference::max_pool2d<double>(x, o, y, chosen);
    return {y, chosen};
  }
  const Array source = x.to_layout(Layout::channels_last);
  const Geometry g(x.shape(), shape, o);
  const float* px = source.data<float>();
  float* py = y.data<float>();
  std::uint8_t* pc = chosen.data<std::uint8_t>();
  each_row(g, shape[0], [&](std::int64_t n, std::int64_t i, std::int64_t at) {
    max_row(g, px + n * g.H * g.W * g.C, i, py + at, pc + at);
  });
  return {y, chosen};
}

Array max_pool2d_grad(const Array& dy, const Array& chosen, const Shape& x, const Pool2dOptions& options) {
  const profile::KernelScope profiled("max_pool2d_grad", dy.dtype(),
                                      [&] { return profile::moves(dy, chosen, profile::bytes_of(x, dy.dtype())); });
  require_floating("max_pool2d_grad", "dy", dy);
  require_dtype("max_pool2d_grad", "chosen", chosen, DType::u8);
  const Pool2dOptions o = with_stride(options);
  const Shape shape = pool2d_shape("max_pool2d_grad", x, o);
  detail::require_shape("max_pool2d_grad", "dy", dy, shape);
  detail::require_shape("max_pool2d_grad", "chosen", chosen, shape);
  if (dy.dtype() == DType::bf16) return max_pool2d_grad(dy.to(DType::f32), chosen, x, o).to(DType::bf16);
  Array dx = detail::empty_images(x, dy.dtype());
  if (dy.dtype() == DType::f64) return reference::max_pool2d_grad<double>(dy, chosen, o, dx), dx;
  const Array gradient = dy.to_layout(Layout::channels_last), places = chosen.to_layout(Layout::channels_last);
  const Geometry g(x, shape, o);
  const float* pdy = gradient.data<float>();
  const std::uint8_t* pc = places.data<std::uint8_t>();
  float* pdx = dx.data<float>();
  each_image(g, x[0], [&](std::int64_t n) {
    const std::int64_t out = n * g.P * g.Q * g.C;
    max_grad_image(g, pdy + out, pc + out, pdx + n * g.H * g.W * g.C);
  });
  return dx;
}

Array max_pool2d_take(const Array& x, const Array& chosen, const Pool2dOptions& options) {
  const profile::KernelScope profiled("max_pool2d_take", x.dtype(), [&] { return profile::moves(x, chosen); });
  require_floating("max_pool2d_take", "x", x);
  require_dtype("max_pool2d_take", "chosen", chosen, DType::u8);
  const Pool2dOptions o = with_stride(options);
  const Shape shape = pool2d_shape("max_pool2d_take", x.shape(), o);
  detail::require_shape("max_pool2d_take", "chosen", chosen, shape);
  if (x.dtype() == DType::bf16) return max_pool2d_take(x.to(DType::f32), chosen, o).to(DType::bf16);
  Array y = detail::empty_images(shape, x.dtype());
  if (x.dtype() == DType::f64) return reference::max_pool2d_take<double>(x, chosen, o, y), y;
  const Array source = x.to_layout(Layout::channels_last), places = chosen.to_layout(Layout::channels_last);
  const Geometry g(x.shape(), shape, o);
  const float* px = source.data<float>();
  const std::uint8_t* pc = places.data<std::uint8_t>();
  float* py = y.data<float>();
  each_row(g, shape[0], [&](std::int64_t n, std::int64_t i, std::int64_t at) {
    take_row(g, px + n * g.H * g.W * g.C, pc + at, i, py + at);
  });
  return y;
}

Array average_pool2d(const Array& x, const Pool2dOptions& options) {
  const profile::KernelScope profiled("average_pool2d", x.dtype(), [&] { return profile::moves(x); });
  require_floating("average_pool2d", "x", x);
  const Pool2dOptions o = with_stride(options);
  const Shape shape = pool2d_shape("average_pool2d", x.shape(), o);
  if (x.dtype() == DType::bf16) return average_pool2d(x.to(DType::f32), o).to(DType::bf16);
  Array y = detail::empty_images(shape, x.dtype());
  if (x.dtype() == DType::f64) return reference::average_pool2d<double>(x, o, y), y;
  const Array source = x.to_layout(Layout::channels_last);
  const Geometry g(x.shape(), shape, o);
  const float* px = source.data<float>();
  float* py = y.data<float>();
  const bool is_long = g.most_places() > kTermsInFloat;
  each_row(g, shape[0], [&](std::int64_t n, std::int64_t i, std::int64_t at) {
    std::vector<double> totals(is_long ? static_cast<std::size_t>(g.C) : 0);
    average_row(g, px + n * g.H * g.W * g.C, i, py + at, is_long ? totals.data() : nullptr);
  });
  return y;
}

Array average_pool2d_grad(const Array& dy, const Shape& x, const Pool2dOptions& options) {
  const profile::KernelScope profiled("average_pool2d_grad", dy.dtype(),
                                      [&] { return profile::moves(dy, profile::bytes_of(x, dy.dtype())); });
  require_floating("average_pool2d_grad", "dy", dy);
  const Pool2dOptions o = with_stride(options);
  const Shape shape = pool2d_shape("average_pool2d_grad", x, o);
  detail::require_shape("average_pool2d_grad", "dy", dy, shape);
  if (dy.dtype() == DType::bf16) return average_pool2d_grad(dy.to(DType::f32), x, o).to(DType::bf16);
  Array dx = detail::empty_images(x, dy.dtype());
  if (dy.dtype() == DType::f64) return reference::average_pool2d_grad<double>(dy, o, dx), dx;
  const Array gradient = dy.to_layout(Layout::channels_last);
  const Geometry g(x, shape, o);
  const float* pdy = gradient.data<float>();
  float* pdx = dx.data<float>();
  each_image(g, x[0],
             [&](std::int64_t n) { average_grad_image(g, pdy + n * g.P * g.Q * g.C, pdx + n * g.H * g.W * g.C); });
  return dx;
}

Array global_average_pool2d(const Array& x) {
  require_floating("global_average_pool2d", "x", x);
  if (x.rank() != 4 || x.shape(2) < 1 || x.shape(3) < 1)
    fail("global_average_pool2d", fmt::format("x is {}, must be [N, C, H, W]", x.shape().to_string()));
  return average_pool2d(x, {.kernel = {x.shape(2), x.shape(3)}}).reshape({x.shape(0), x.shape(1)});
}

Array global_average_pool2d_grad(const Array& dy, const Shape& x) {
  require_floating("global_average_pool2d_grad", "dy", dy);
  if (x.rank() != 4) fail("global_average_pool2d_grad", fmt::format("x is {}, must be [N, C, H, W]", x.to_string()));
  detail::require_shape("global_average_pool2d_grad", "dy", dy, {x[0], x[1]});
  return average_pool2d_grad(dy.reshape({x[0], x[1], 1, 1}), x, {.kernel = {x[2], x[3]}});
}

}  // namespace tandem::kernels
