// Max, average and global average pooling over H and W, channels-last, with their transposes.
// f64 runs through reference/pool2d.h; others are computed in f32. Padding never wins a maximum; `count_padding` says
// whether it counts in an average.
#pragma once

#include <utility>

#include <tandem/core/array.h>

namespace tandem {

struct Pool2dOptions {
  Size2 kernel = 2;
  Size2 stride = 0;  ///< 0: the kernel
  Size2 padding = 0;
  bool count_padding = true;  ///< average only
};

namespace kernels {

/// [N, C, H, W] -> [N, C, H', W'], H' = floor((H + 2 padding - kernel) / stride) + 1. Throws Error.
Shape pool2d_shape(const char* where, const Shape& x, const Pool2dOptions& options);

/// y and `chosen`: for each output the position r * kernel.w + s of its maximum in the window (u8, the first of
/// equals). Windows have at most 256 places (Error otherwise).
std::pair<Array, Array> max_pool2d(const Array& x, const Pool2dOptions& options);
/// dx of shape x: dy added at the chosen places.
Array max_pool2d_grad(const Array& dy, const Array& chosen, const Shape& x, const Pool2dOptions& options);
/// The transpose of max_pool2d_grad: y[o] = x[chosen place of o].
Array max_pool2d_take(const Array& x, const Array& chosen, const Pool2dOptions& options);

Array average_pool2d(const Array& x, const Pool2dOptions& options);
Array average_pool2d_grad(const Array& dy, const Shape& x, const Pool2dOptions& options);

/// [N, C, H, W] -> [N, C], the mean over H and W.
Array global_average_pool2d(const Array& x);
/// dx of shape x, in channels-last.
Array global_average_pool2d_grad(const Array& dy, const Shape& x);

}  // namespace kernels
}  // namespace tandem
