// 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3) (Lavin & Gray 2016, "Fast algorithms for convolutional neural
// networks", section 4.1): 36 multiplications for an output tile of 4x4 in place of 144. f32, channels-last.
//   y  = A' [(G w G') * (B' x B)] A      B' x B of tiles of 6x6, four apart;  * by channels: 36 matrix products
//   dw = G' [(A dy A') * (B' x B)] G     * by tiles
// Private to conv2d.cpp; the naive twin of every convolution is reference/conv2d.h. Read next: winograd.cpp.
#pragma once

#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/convolution/winograd_loops.h>

namespace tandem::kernels {

/// Whether these functions take a problem: 3x3, stride 1, one group, channels in multiples of 16.
bool can_winograd(const Shape& w, const Conv2dOptions& options);

/// x, y, dx and dy are channels-last, w any, dw row major, b contiguous or undefined. Outputs are given.
/// y = u where u > 0, else slope u, with u = convolution + b.
void winograd(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, double slope, Array& y,
              const tiles::Loops& loops = *tiles::all_loops().front());
void winograd_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx,
                         const tiles::Loops& loops = *tiles::all_loops().front());
void winograd_weight_grad(const Array& dy, const Array& x, const Conv2dOptions& options, Array& dw,
                          const tiles::Loops& loops = *tiles::all_loops().front());

}  // namespace tandem::kernels
