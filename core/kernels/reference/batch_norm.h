// Batch normalisation as its formulas read, a template on the scalar, any strides: the naive twin of batch_norm.cpp.
// Inputs have rank 2 [N, C] or 4 [N, C, H, W].
#pragma once

#include <cmath>

#include <tandem/core/kernels/normalise/batch_norm.h>

namespace tandem::kernels::reference {

/// Calls f(i) with the offset of every element of channel c in an Array of these strides.
template <class F>
void each_of_channel(const Array& x, std::int64_t c, F&& f) {
  const Strides s = x.strides();
  const bool images = x.rank() == 4;
  const std::int64_t H = images ? x.shape(2) : 1, W = images ? x.shape(3) : 1;
  const std::int64_t sh = images ? s[2] : 0, sw = images ? s[3] : 0;
  for (std::int64_t n = 0; n < x.shape(0); ++n)
    for (std::int64_t h = 0; h < H; ++h)
      for (std::int64_t w = 0; w < W; ++w) f(n * s[0] + c * s[1] + h * sh + w * sw);
}

/// mean and biased variance of each channel, in two passes.
template <class T>
void batch_statistics(const Array& x, Array& mean, Array& variance) {
  const T* px = x.data<T>();
  const std::int64_t C = x.shape(1);
  const T count = static_cast<T>(x.size() / C);
  for (std::int64_t c = 0; c < C; ++c) {
    T sum = 0, squares = 0;
    each_of_channel(x, c, [&](std::int64_t i) { sum += px[i]; });
    const T m = sum / count;
    each_of_channel(x, c, [&](std::int64_t i) { squares += (px[i] - m) * (px[i] - m); });
    mean.data<T>()[c] = m;
    variance.data<T>()[c] = squares / count;
  }
}

/// y = relu?((x - mean) inverse w + b + add). x, add and y have the same strides; the others are contiguous.
template <class T>
void batch_norm_apply(const Array& x, const Array& w, const Array& b, const Array& mean, const Array& inverse,
                      bool relu, const Array& add, Array& y) {
  const T* px = x.data<T>();
  const T* pa = add.defined() ? add.data<T>() : nullptr;
  T* py = y.data<T>();
  for (std::int64_t c = 0; c < x.shape(1); ++c) {
    const T m = mean.data<T>()[c], scale = inverse.data<T>()[c] * w.data<T>()[c], shift = b.data<T>()[c];
    each_of_channel(x, c, [&](std::int64_t i) {
      const T v = (px[i] - m) * scale + shift + (pa == nullptr ? T(0) : pa[i]);
      py[i] = relu && v < 0 ? T(0) : v;
    });
  }
}

/// dx, dw, db and, when defined, dadd. dy, x, y, dx and dadd have the same strides.
template <class T>
void batch_norm_train_grad(const Array& dy, const Array& x, const Array& w, const Array& mean, const Array& inverse,
                           const Array& y, BatchNormGrads& grads) {
  const T *pdy = dy.data<T>(), *px = x.data<T>();
  const T* py = y.defined() ? y.data<T>() : nullptr;
  const T count = static_cast<T>(x.size() / x.shape(1));
  const auto counted = [&](std::int64_t i) { return py != nullptr && py[i] <= 0 ? T(0) : pdy[i]; };
  for (std::int64_t c = 0; c < x.shape(1); ++c) {
    const T m = mean.data<T>()[c], v = inverse.data<T>()[c];
    T db = 0, dw = 0;
    each_of_channel(x, c, [&](std::int64_t i) {
      db += counted(i);
      dw += counted(i) * (px[i] - m) * v;
    });
    each_of_channel(x, c, [&](std::int64_t i) {
      const T normal = (px[i] - m) * v;
      grads.dx.data<T>()[i] = w.data<T>()[c] * v * (counted(i) - db / count - normal * dw / count);
      if (grads.dadd.defined()) grads.dadd.data<T>()[i] = counted(i);
    });
    grads.dw.data<T>()[c] = dw;
    grads.db.data<T>()[c] = db;
  }
}

}  // namespace tandem::kernels::reference
