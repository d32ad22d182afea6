// f32 convolutions as matrix products over unfolded images: each output place is a row of its window, R S C numbers in
// that order. Rows are unfolded by the hundred, so that they stay in the cache. For strides and kernels that Winograd's
// algorithm does not take, and for images of so few channels that oneDNN's loops are slow. Private to conv2d.cpp.
#pragma once

#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/convolution/winograd_loops.h>

namespace tandem::kernels {

/// Whether these functions take a problem: one group, filters in multiples of 16; for `folded_input_grad` any number of
/// filters, but no dilation along rows.
bool can_unfold(const Shape& w, const Conv2dOptions& options);
bool can_fold(const Conv2dOptions& options);

/// x, y, dx and dy are channels-last, w any, dw row major. Outputs are given.
/// y = convolution of x with w.
void unfolded(const Array& x, const Array& w, const Conv2dOptions& options, Array& y,
              const tiles::Loops& loops = *tiles::all_loops().front());
/// dw[k, p] = sum_t dy[t, k] v[t, p] with the unfolded rows v of x.
void unfolded_weight_grad(const Array& dy, const Array& x, const Conv2dOptions& options, Array& dw,
                          const tiles::Loops& loops = *tiles::all_loops().front());
/// dv = dy w, whose rows are added to the places of dx that they were unfolded from.
void folded_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx);

}  // namespace tandem::kernels
