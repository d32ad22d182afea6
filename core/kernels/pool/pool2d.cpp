// Pooling on channels-last memory: a window's places are rows of C neighbouring numbers, so every loop runs over C.
// Threaded over rows of windows or images; f64 through reference/pool2d.h, the naive twin. The loops: pool_rows.h.
#include <tandem/core/kernels/pool/pool2d.h>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/kernels/images.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/pool/pool_rows.h>
#include <tandem/core/kernels/reference/pool2d.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kGrain = 16384;  // numbers a thread should at least handle

Pool2dOptions with_stride(Pool2dOptions o) {
  o.stride = {o.stride.h == 0 ? o.kernel.h : o.stride.h, o.stride.w == 0 ? o.kernel.w : o.stride.w};
  return o;
}

using detail::PoolGeometry;

/// f(image n, row i of windows, offset of that row in an output).
template <class F>
void each_row(const PoolGeometry& g, std::int64_t N, F&& f) {
  const std::int64_t row = g.Q * g.C, work = std::max<std::int64_t>(1, saturating_multiply(row, g.most_places()));
  parallel_for(N * g.P, std::max<std::int64_t>(1, kGrain / work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) f(at / g.P, at % g.P, at * row);
  });
}

/// f(image n, scratch of an image of floats where windows overlap and dx is not of floats).
template <class F>
void each_image(const PoolGeometry& g, std::int64_t N, DType dtype, F&& f) {
  const std::int64_t windows = saturating_multiply(g.output(), g.most_places());
  const std::int64_t work = std::max<std::int64_t>(1, saturating_add(g.image(), windows));
  const bool needs_sums = dtype != DType::f32 && !g.is_disjoint();
  parallel_for(N, std::max<std::int64_t>(1, kGrain / work), [&](std::int64_t begin, std::int64_t end) {
    Array sums = needs_sums ? Array::empty({g.image()}) : Array();
    for (std::int64_t n = begin; n < end; ++n) f(n, needs_sums ? sums.data<float>() : nullptr);
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
  Array y = detail::empty_images(shape, x.dtype()), chosen = detail::empty_images(shape, DType::u8);
  if (x.dtype() == DType::f64) {
    reference::max_pool2d<double>(x, o, y, chosen);
    return {y, chosen};
  }
  const Array source = x.to_layout(Layout::channels_last);
  const PoolGeometry g(x.shape(), shape, o);
  std::uint8_t* pc = chosen.data<std::uint8_t>();
  visit_narrow(x.dtype(), [&]<class E>(E) {
    const E* px = source.data<E>();
    E* py = y.data<E>();
    each_row(g, shape[0], [&](std::int64_t n, std::int64_t i, std::int64_t at) {
      const std::int64_t begin = n * g.image();
      detail::max_row(g, px + begin, source.size() - begin, i, py + at, pc + at);
    });
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
  Array dx = detail::empty_images(x, dy.dtype());
  if (dy.dtype() == DType::f64) return reference::max_pool2d_grad<double>(dy, chosen, o, dx), dx;
  const Array gradient = dy.to_layout(Layout::channels_last), places = chosen.to_layout(Layout::channels_last);
  const PoolGeometry g(x, shape, o);
  const std::uint8_t* pc = places.data<std::uint8_t>();
  visit_narrow(dy.dtype(), [&]<class E>(E) {
    const E* pdy = gradient.data<E>();
    E* pdx = dx.data<E>();
    each_image(g, x[0], dy.dtype(), [&](std::int64_t n, float* sums) {
      detail::max_grad_image(g, pdy + n * g.output(), pc + n * g.output(), pdx + n * g.image(), sums);
    });
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
  Array y = detail::empty_images(shape, x.dtype());
  if (x.dtype() == DType::f64) return reference::max_pool2d_take<double>(x, chosen, o, y), y;
  const Array source = x.to_layout(Layout::channels_last), places = chosen.to_layout(Layout::channels_last);
  const PoolGeometry g(x.shape(), shape, o);
  const std::uint8_t* pc = places.data<std::uint8_t>();
  visit_narrow(x.dtype(), [&]<class E>(E) {
    const E* px = source.data<E>();
    E* py = y.data<E>();
    each_row(g, shape[0], [&](std::int64_t n, std::int64_t i, std::int64_t at) {
      detail::take_row(g, px + n * g.image(), pc + at, i, py + at);
    });
  });
  return y;
}

Array average_pool2d(const Array& x, const Pool2dOptions& options) {
  const profile::KernelScope profiled("average_pool2d", x.dtype(), [&] { return profile::moves(x); });
  require_floating("average_pool2d", "x", x);
  const Pool2dOptions o = with_stride(options);
  const Shape shape = pool2d_shape("average_pool2d", x.shape(), o);
  Array y = detail::empty_images(shape, x.dtype());
  if (x.dtype() == DType::f64) return reference::average_pool2d<double>(x, o, y), y;
  const Array source = x.to_layout(Layout::channels_last);
  const PoolGeometry g(x.shape(), shape, o);
  visit_narrow(x.dtype(), [&]<class E>(E) {
    const E* px = source.data<E>();
    E* py = y.data<E>();
    each_row(g, shape[0], [&](std::int64_t n, std::int64_t i, std::int64_t at) {
      const std::int64_t begin = n * g.image();
      detail::average_row(g, px + begin, source.size() - begin, i, py + at);
    });
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
  Array dx = detail::empty_images(x, dy.dtype());
  if (dy.dtype() == DType::f64) return reference::average_pool2d_grad<double>(dy, o, dx), dx;
  const Array gradient = dy.to_layout(Layout::channels_last);
  const PoolGeometry g(x, shape, o);
  visit_narrow(dy.dtype(), [&]<class E>(E) {
    const E* pdy = gradient.data<E>();
    E* pdx = dx.data<E>();
    each_image(g, x[0], dy.dtype(), [&](std::int64_t n, float* sums) {
      detail::average_grad_image(g, pdy + n * g.output(), pdx + n * g.image(), sums);
    });
  });
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
