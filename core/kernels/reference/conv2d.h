// Convolution as its definition reads: the naive twin of conv2d.cpp, a template on the scalar, any strides.
// f64 runs through it; the fast kernels are tested against it.
#pragma once

#include <tandem/core/kernels/convolution/conv2d.h>

namespace tandem::kernels::reference {

/// Calls f(offset of x, offset of w, offset of y) for every product of the sum that defines the convolution.
template <class F>
void conv2d_products(const Array& x, const Array& w, const Array& y, const Conv2dOptions& o, F&& f) {
  const Shape xs = x.strides(), ws = w.strides(), ys = y.strides();
  const std::int64_t N = x.shape(0), H = x.shape(2), W = x.shape(3);
  const std::int64_t K = w.shape(0), C = w.shape(1), R = w.shape(2), S = w.shape(3);
  const std::int64_t P = y.shape(2), Q = y.shape(3), group = K / o.groups;
  const std::int64_t xc = xs[1], xh = xs[2], xw = xs[3], wc = ws[1], wr = ws[2], wsw = ws[3];
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t k = 0; k < K; ++k)
      for (std::int64_t i = 0; i < P; ++i)
        for (std::int64_t j = 0; j < Q; ++j) {
          const std::int64_t at_y = n * ys[0] + k * ys[1] + i * ys[2] + j * ys[3];
          for (std::int64_t c = 0; c < C; ++c)
            for (std::int64_t r = 0; r < R; ++r) {
              const std::int64_t h = i * o.stride.h + r * o.dilation.h - o.padding.h;
              if (h < 0 || h >= H) continue;
              for (std::int64_t s = 0; s < S; ++s) {
                const std::int64_t v = j * o.stride.w + s * o.dilation.w - o.padding.w;
                if (v < 0 || v >= W) continue;
                f(n * xs[0] + (k / group * C + c) * xc + h * xh + v * xw, k * ws[0] + c * wc + r * wr + s * wsw, at_y);
              }
            }
        }
}

/// y = b + sum x w; y is given, with its shape and strides.
template <class T>
void conv2d(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, Array& y) {
  const T *px = x.data<T>(), *pw = w.data<T>();
  T* py = y.data<T>();
  y.fill(0);
  conv2d_products(x, w, y, options, [=](std::int64_t i, std::int64_t j, std::int64_t k) { py[k] += px[i] * pw[j]; });
  if (!b.defined()) return;
  const Shape ys = y.strides();
  const std::int64_t bs = b.stride(0);
  const T* pb = b.data<T>();
  for (std::int64_t n = 0; n < y.shape(0); ++n)
    for (std::int64_t k = 0; k < y.shape(1); ++k)
      for (std::int64_t i = 0; i < y.shape(2); ++i)
        for (std::int64_t j = 0; j < y.shape(3); ++j) py[n * ys[0] + k * ys[1] + i * ys[2] + j * ys[3]] += pb[k * bs];
}

/// dx = sum dy w over the products that x took part in.
template <class T>
void conv2d_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx) {
  const T *pdy = dy.data<T>(), *pw = w.data<T>();
  T* pdx = dx.data<T>();
  dx.fill(0);
  conv2d_products(dx, w, dy, options,
                  [=](std::int64_t i, std::int64_t j, std::int64_t k) { pdx[i] += pdy[k] * pw[j]; });
}

/// dw = sum dy x over the products that w took part in.
template <class T>
void conv2d_weight_grad(const Array& dy, const Array& x, const Conv2dOptions& options, Array& dw) {
  const T *pdy = dy.data<T>(), *px = x.data<T>();
  T* pdw = dw.data<T>();
  dw.fill(0);
  conv2d_products(x, dw, dy, options,
                  [=](std::int64_t i, std::int64_t j, std::int64_t k) { pdw[j] += pdy[k] * px[i]; });
}

}  // namespace tandem::kernels::reference
