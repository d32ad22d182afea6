// Group normalisation as its formulas read, a template on the scalar, any strides: the naive twin of group_norm.cpp.
// x, dy, y and dx have rank 4, [N, C, H, W]; the others are contiguous.
#pragma once

#include <cmath>

#include <tandem/core/kernels/normalise/group_norm.h>

namespace tandem::kernels::reference {

/// Calls f(offset, channel) for every element of group g of image n.
template <class F>
void each_of_group(const Array& x, std::int64_t groups, std::int64_t n, std::int64_t g, F&& f) {
  const Strides s = x.strides();
  const std::int64_t width = x.shape(1) / groups;
  for (std::int64_t c = g * width; c < (g + 1) * width; ++c)
    for (std::int64_t h = 0; h < x.shape(2); ++h)
      for (std::int64_t w = 0; w < x.shape(3); ++w) f(n * s[0] + c * s[1] + h * s[2] + w * s[3], c);
}

/// result.y has the strides of x.
template <class T>
void group_norm(const Array& x, std::int64_t groups, const Array& w, const Array& b, double epsilon,
                GroupNormForward& result) {
  const T *px = x.data<T>(), *pw = w.data<T>(), *pb = b.data<T>();
  T* py = result.y.data<T>();
  const T count = static_cast<T>(x.size() / (x.shape(0) * groups));
  for (std::int64_t n = 0; n < x.shape(0); ++n)
    for (std::int64_t g = 0; g < groups; ++g) {
      T sum = 0, squares = 0;
      each_of_group(x, groups, n, g, [&](std::int64_t i, std::int64_t) { sum += px[i]; });
      const T mean = sum / count;
      each_of_group(x, groups, n, g, [&](std::int64_t i, std::int64_t) { squares += (px[i] - mean) * (px[i] - mean); });
      const T inverse = 1 / std::sqrt(squares / count + static_cast<T>(epsilon));
      each_of_group(x, groups, n, g,
                    [&](std::int64_t i, std::int64_t c) { py[i] = (px[i] - mean) * inverse * pw[c] + pb[c]; });
      result.mean.data<T>()[n * groups + g] = mean;
      result.inverse_deviation.data<T>()[n * groups + g] = inverse;
    }
}

/// dy, x and grads.dx have the same strides.
template <class T>
void group_norm_grad(const Array& dy, const Array& x, const Array& w, const Array& mean, const Array& inverse,
                     GroupNormGrads& grads) {
  const T *pdy = dy.data<T>(), *px = x.data<T>(), *pw = w.data<T>();
  T *pdx = grads.dx.data<T>(), *pdw = grads.dw.data<T>(), *pdb = grads.db.data<T>();
  const std::int64_t groups = mean.shape(1);
  const T count = static_cast<T>(x.size() / (x.shape(0) * groups));
  grads.dw.fill(0);
  grads.db.fill(0);
  for (std::int64_t n = 0; n < x.shape(0); ++n)
    for (std::int64_t g = 0; g < groups; ++g) {
      const T m = mean.data<T>()[n * groups + g], inv = inverse.data<T>()[n * groups + g];
      T sum = 0, slope = 0;
      each_of_group(x, groups, n, g, [&](std::int64_t i, std::int64_t c) {
        const T normal = (px[i] - m) * inv;
        sum += pdy[i] * pw[c];
        slope += pdy[i] * pw[c] * normal;
        pdw[c] += pdy[i] * normal;
        pdb[c] += pdy[i];
      });
      each_of_group(x, groups, n, g, [&](std::int64_t i, std::int64_t c) {
        pdx[i] = inv * (pdy[i] * pw[c] - sum / count - (px[i] - m) * inv * slope / count);
      });
    }
}

}  // namespace tandem::kernels::reference
