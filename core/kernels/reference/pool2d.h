// Pooling as its definition reads, a template on the scalar, any strides: the naive twin of pool2d.cpp.
#pragma once

#include <algorithm>

#include <tandem/core/kernels/pool/pool2d.h>

namespace tandem::kernels::reference {

/// Calls f(n, c, i, j, h, w, place) for every element (h, w) of every window (i, j) that lies inside the image.
template <class F>
void pool2d_windows(const Shape& x, const Shape& y, const Pool2dOptions& o, F&& f) {
  for (std::int64_t n = 0; n < y[0]; ++n)
    for (std::int64_t c = 0; c < y[1]; ++c)
      for (std::int64_t i = 0; i < y[2]; ++i)
        for (std::int64_t j = 0; j < y[3]; ++j)
          for (std::int64_t r = 0; r < o.kernel.h; ++r)
            for (std::int64_t s = 0; s < o.kernel.w; ++s) {
              const std::int64_t h = i * o.stride.h + r - o.padding.h, w = j * o.stride.w + s - o.padding.w;
              if (h >= 0 && h < x[2] && w >= 0 && w < x[3]) f(n, c, i, j, h, w, r * o.kernel.w + s);
            }
}

inline std::int64_t offset(const Strides& s, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  return n * s[0] + c * s[1] + h * s[2] + w * s[3];
}

/// How many places of window (i, j) an average divides by.
inline std::int64_t window_places(const Shape& x, const Pool2dOptions& o, std::int64_t i, std::int64_t j) {
  if (o.count_padding) return o.kernel.h * o.kernel.w;
  const std::int64_t h = i * o.stride.h - o.padding.h, w = j * o.stride.w - o.padding.w;
  const std::int64_t rows = std::min(h + o.kernel.h, x[2]) - std::max<std::int64_t>(h, 0);
  const std::int64_t columns = std::min(w + o.kernel.w, x[3]) - std::max<std::int64_t>(w, 0);
  return std::max<std::int64_t>(rows * columns, 1);
}

/// y and the place of each maximum, the first of equals; NaN wins.
template <class T>
void max_pool2d(const Array& x, const Pool2dOptions& o, Array& y, Array& chosen) {
  const T* px = x.data<T>();
  T* py = y.data<T>();
  std::uint8_t* pc = chosen.data<std::uint8_t>();
  const Strides xs = x.strides(), ys = y.strides(), cs = chosen.strides();
  std::int64_t last = -1;
  pool2d_windows(x.shape(), y.shape(), o, [&](auto n, auto c, auto i, auto j, auto h, auto w, auto place) {
    const std::int64_t at = offset(ys, n, c, i, j), key = ((n * y.shape(1) + c) * y.shape(2) + i) * y.shape(3) + j;
    const T v = px[offset(xs, n, c, h, w)];
    if (key != last || v > py[at] || (v != v && py[at] == py[at])) {
      py[at] = v;
      pc[offset(cs, n, c, i, j)] = static_cast<std::uint8_t>(place);
    }
    last = key;
  });
}

/// dx = 0, then dy added at the chosen places.
template <class T>
void max_pool2d_grad(const Array& dy, const Array& chosen, const Pool2dOptions& o, Array& dx) {
  const T* pdy = dy.data<T>();
  T* pdx = dx.data<T>();
  const std::uint8_t* pc = chosen.data<std::uint8_t>();
  const Strides xs = dx.strides(), ys = dy.strides(), cs = chosen.strides();
  dx.fill(0);
  pool2d_windows(dx.shape(), dy.shape(), o, [&](auto n, auto c, auto i, auto j, auto h, auto w, auto place) {
    if (pc[offset(cs, n, c, i, j)] == place) pdx[offset(xs, n, c, h, w)] += pdy[offset(ys, n, c, i, j)];
  });
}

/// y = x at the chosen places.
template <class T>
void max_pool2d_take(const Array& x, const Array& chosen, const Pool2dOptions& o, Array& y) {
  const T* px = x.data<T>();
  T* py = y.data<T>();
  const std::uint8_t* pc = chosen.data<std::uint8_t>();
  const Strides xs = x.strides(), ys = y.strides(), cs = chosen.strides();
  pool2d_windows(x.shape(), y.shape(), o, [&](auto n, auto c, auto i, auto j, auto h, auto w, auto place) {
    if (pc[offset(cs, n, c, i, j)] == place) py[offset(ys, n, c, i, j)] = px[offset(xs, n, c, h, w)];
  });
}

template <class T>
void average_pool2d(const Array& x, const Pool2dOptions& o, Array& y) {
  const T* px = x.data<T>();
  T* py = y.data<T>();
  const Strides xs = x.strides(), ys = y.strides();
  y.fill(0);
  pool2d_windows(x.shape(), y.shape(), o, [&](auto n, auto c, auto i, auto j, auto h, auto w, auto) {
    py[offset(ys, n, c, i, j)] += px[offset(xs, n, c, h, w)];
  });
  for (std::int64_t n = 0; n < y.shape(0); ++n)
    for (std::int64_t c = 0; c < y.shape(1); ++c)
      for (std::int64_t i = 0; i < y.shape(2); ++i)
        for (std::int64_t j = 0; j < y.shape(3); ++j)
          py[offset(ys, n, c, i, j)] /= static_cast<T>(window_places(x.shape(), o, i, j));
}

template <class T>
void average_pool2d_grad(const Array& dy, const Pool2dOptions& o, Array& dx) {
  const T* pdy = dy.data<T>();
  T* pdx = dx.data<T>();
  const Strides xs = dx.strides(), ys = dy.strides();
  dx.fill(0);
  pool2d_windows(dx.shape(), dy.shape(), o, [&](auto n, auto c, auto i, auto j, auto h, auto w, auto) {
    pdx[offset(xs, n, c, h, w)] += pdy[offset(ys, n, c, i, j)] / static_cast<T>(window_places(dx.shape(), o, i, j));
  });
}

}  // namespace tandem::kernels::reference
