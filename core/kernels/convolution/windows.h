// The windows of a convolution: for each output place the numbers of x that it sums, R S C of them in that order.
// Private to core/kernels/convolution. Read next: unfolding.h.
#pragma once

#include <cstdint>

#include <tandem/core/kernels/convolution/conv2d.h>

namespace tandem::kernels {

/// Of one group over images x [N, C, H, W] in channels-last.
struct Windows {
  std::int64_t C, H, W, R, S, rows, columns, images;  ///< rows x columns windows an image
  Size2 stride, padding, dilation;

  Windows(const Shape& x, const Shape& w, const Shape& y, const Conv2dOptions& o)
      : C(x[1]),
        H(x[2]),
        W(x[3]),
        R(w[2]),
        S(w[3]),
        rows(y[2]),
        columns(y[3]),
        images(x[0]),
        stride(o.stride),
        padding(o.padding),
        dilation(o.dilation) {}

  std::int64_t count() const { return images * rows * columns; }
  std::int64_t numbers() const { return R * S * C; }

  /// Where window t lies; the next one without a division.
  struct Place {
    std::int64_t image, row, column;
  };
  Place place(std::int64_t t) const { return {t / columns / rows, t / columns % rows, t % columns}; }
  void advance(Place& p) const {
    if (++p.column < columns) return;
    p.column = 0;
    if (++p.row < rows) return;
    p.row = 0;
    ++p.image;
  }
};

/// v[t][p] = number p of window begin + t for t < count: zeros outside of the image, and beyond R S C up to `step`, the
/// numbers from one row to the next. E is float or bfloat16.
template <class E>
void unfold(const Windows& windows, const E* x, std::int64_t begin, std::int64_t count, std::int64_t step, E* v);

}  // namespace tandem::kernels
