// Who computes a convolution in f32: Winograd's algorithm or oneDNN, by a table of measurements for each instruction
// set. Never by a timing at run time: equal seeds would not give equal bits. Private to conv2d.cpp.
#pragma once

#include <tandem/core/kernels/convolution/conv2d.h>

namespace tandem::kernels {

enum class Pass { forward, input_grad, weight_grad };

/// Whether Winograd's algorithm takes a problem and is the faster choice for it.
bool is_winograd(Pass pass, const Shape& x, const Shape& w, const Conv2dOptions& options);

}  // namespace tandem::kernels
