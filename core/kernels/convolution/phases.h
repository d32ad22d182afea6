// The gradient of a strided convolution's input, without scattering: places of dx that are a stride apart meet the same
// part of the filters, so each phase (h mod stride, v mod stride) is a convolution of dy without strides, computed as a
// product over its unfolded windows. No number is added to dx twice, and none is multiplied that lies between the
// strides. Also the forward pass of transposed convolutions. Private to conv2d.cpp.
#pragma once

#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/convolution/winograd_loops.h>

namespace tandem::kernels {

/// Whether `phased_input_grad` takes a problem: one group, no dilation.
bool can_phase(const Conv2dOptions& options);

/// dx[n, c, h, v] = sum over k and the taps r = (h + padding) mod stride, + stride, ... of dy[n, k, (h + padding - r) /
/// stride, ...] w[k, c, r, s]. dy and dx are channels-last, w any; dx is given.
void phased_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx,
                       const tiles::Loops& loops = *tiles::all_loops().front());

}  // namespace tandem::kernels
