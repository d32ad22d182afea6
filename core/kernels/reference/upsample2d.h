// Images in another size as the formulas read, a template on the scalar, any strides: the naive twin of upsample2d.cpp.
#pragma once

#include <algorithm>
#include <cmath>

#include <tandem/core/kernels/pool/upsample2d.h>

namespace tandem::kernels::reference {

/// Output place i is made from place k with weight 1 - t, and from its neighbour `next` with weight t.
struct UpsamplePlace {
  std::int64_t k = 0, next = 0;
  double t = 0;
};

/// floor(i / scale). Of a whole scale exactly; of others in float, as PyTorch does: rounding meets whole quotients
/// again, which 33 / 1.1 = 29.999999999999996 misses.
inline std::int64_t nearest_place(std::int64_t i, std::int64_t size, std::int64_t out, double scale) {
  if (scale == 0) return i * size / out;
  if (scale == std::floor(scale)) return i / static_cast<std::int64_t>(scale);
  return static_cast<std::int64_t>(std::floor(static_cast<float>(i) * static_cast<float>(1 / scale)));
}

/// Along one dim of `size` places that becomes `out`; scale 0: by the sizes, exactly in integers for nearest.
inline UpsamplePlace upsample_place(std::int64_t i, std::int64_t size, std::int64_t out, double scale,
                                    Interpolation mode) {
  const auto at = static_cast<double>(i);
  if (mode == Interpolation::nearest) {
    const std::int64_t k = std::min(nearest_place(i, size, out, scale), size - 1);
    return {k, k, 0};
  }
  const double ratio = scale > 0 ? 1 / scale : static_cast<double>(size) / static_cast<double>(out);
  const double centre = std::max((at + 0.5) * ratio - 0.5, 0.0);
  const std::int64_t k = std::min(static_cast<std::int64_t>(centre), size - 1);
  return {k, std::min(k + 1, size - 1), centre - static_cast<double>(k)};
}

/// Calls f(offset in x, offset in y, weight) for every pair of places that belong together.
template <class F>
void upsample2d_pairs(const Array& x, const Array& y, const Upsample2dOptions& o, F&& f) {
  const Strides xs = x.strides(), ys = y.strides();
  for (std::int64_t n = 0; n < x.shape(0); ++n)
    for (std::int64_t c = 0; c < x.shape(1); ++c)
      for (std::int64_t i = 0; i < y.shape(2); ++i)
        for (std::int64_t j = 0; j < y.shape(3); ++j) {
          const UpsamplePlace h = upsample_place(i, x.shape(2), y.shape(2), o.scale.h, o.mode);
          const UpsamplePlace w = upsample_place(j, x.shape(3), y.shape(3), o.scale.w, o.mode);
          const std::int64_t in = n * xs[0] + c * xs[1], out = n * ys[0] + c * ys[1] + i * ys[2] + j * ys[3];
          f(in + h.k * xs[2] + w.k * xs[3], out, (1 - h.t) * (1 - w.t));
          f(in + h.k * xs[2] + w.next * xs[3], out, (1 - h.t) * w.t);
          f(in + h.next * xs[2] + w.k * xs[3], out, h.t * (1 - w.t));
          f(in + h.next * xs[2] + w.next * xs[3], out, h.t * w.t);
        }
}

template <class T>
void upsample2d(const Array& x, const Upsample2dOptions& options, Array& y) {
  const T* px = x.data<T>();
  T* py = y.data<T>();
  y.fill(0);
  upsample2d_pairs(x, y, options, [=](std::int64_t i, std::int64_t o, double weight) {
    if (weight != 0) py[o] += static_cast<T>(weight) * px[i];
  });
}

template <class T>
void upsample2d_grad(const Array& dy, const Upsample2dOptions& options, Array& dx) {
  const T* pdy = dy.data<T>();
  T* pdx = dx.data<T>();
  dx.fill(0);
  upsample2d_pairs(dx, dy, options, [=](std::int64_t i, std::int64_t o, double weight) {
    if (weight != 0) pdx[i] += static_cast<T>(weight) * pdy[o];
  });
}

}  // namespace tandem::kernels::reference
