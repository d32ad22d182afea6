// Images in another size, nearest or bilinear, channels-last, with the transpose. Both are sums over a row and a column
// with weights that depend on the place alone; pixel centres are aligned, as PyTorch's align_corners=False:
//   nearest    y[i] = x[floor(i r)]; of a scale that is not whole in float, as PyTorch: of 1.1, y[33] = x[30]
//   bilinear   y[i] = (1 - t) x[k] + t x[min(k + 1, H - 1)],  k + t = max((i + 1/2) r - 1/2, 0)
// r = 1 / scale, or H / H' when a size is asked for. f64 runs through reference/upsample2d.h, the naive twin.
#pragma once

#include <tandem/core/array.h>

namespace tandem {

enum class Interpolation { nearest, bilinear };

/// Two factors for height and width; a number stands for both: `.scale = 2` or `.scale = {1.5, 2}`.
struct Scale2 {
  double h = 0, w = 0;
  constexpr Scale2() = default;
  constexpr Scale2(double both) : h(both), w(both) {}
  constexpr Scale2(double height, double width) : h(height), w(width) {}
  bool operator==(const Scale2&) const = default;
};

/// Exactly one of scale and size is given; 0 is not given.
struct Upsample2dOptions {
  Scale2 scale = 0;  ///< H' = floor(H scale)
  Size2 size = 0;    ///< H' x W'
  Interpolation mode = Interpolation::nearest;
};

namespace kernels {

/// [N, C, H, W] -> [N, C, H', W']. Throws Error.
Shape upsample2d_shape(const Shape& x, const Upsample2dOptions& options);

Array upsample2d(const Array& x, const Upsample2dOptions& options);
/// dx of shape x: each number of dy spread over the places that it was made from.
Array upsample2d_grad(const Array& dy, const Shape& x, const Upsample2dOptions& options);

}  // namespace kernels
}  // namespace tandem
