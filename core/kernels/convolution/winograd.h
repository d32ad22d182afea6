// 3x3 convolutions of stride 1 by Winograd's F(2x2, 3x3) (Lavin & Gray 2016, "Fast algorithms for convolutional neural
// networks", section 4.1): 16 multiplications for an output tile of 2x2 in place of 36. f32, channels-last.
//   y = A' [(G w G') * (B' x B)] A       B' x B of tiles of 4x4, two apart;  * by channels: 16 matrix products
// Private to conv2d.cpp; the naive twin of every convolution is reference/conv2d.h. Read next: winograd.cpp.
#pragma once

#include <tandem/core/kernels/convolution/conv2d.h>

namespace tandem::kernels {

/// Whether these functions take a problem: 3x3, stride 1, one group, channels in multiples of 16.
bool can_winograd(const Shape& w, const Conv2dOptions& options);
/// Whether they also are the faster choice for it.
bool is_winograd(const Shape& x, const Shape& w, const Shape& y, const Conv2dOptions& options);

/// x, y, dx and dy are channels-last, w any, dw row major, b contiguous or undefined. Outputs are given.
void winograd(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, Array& y);
void winograd_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx);
void winograd_weight_grad(const Array& dy, const Array& x, const Conv2dOptions& options, Array& dw);

}  // namespace tandem::kernels
