// Who computes a convolution in f32: oneDNN, Winograd's algorithm, products over unfolded images or over the phases of
// the stride, by a table of measurements for each instruction set. Never by a timing at run time: equal seeds would not
// give equal bits. Private to conv2d.cpp.
#pragma once

#include <tandem/core/kernels/convolution/conv2d.h>

namespace tandem::kernels {

enum class Pass { forward, input_grad, weight_grad };

enum class Algorithm { onednn, winograd, unfolded, phases };

/// The fastest of those that take a problem.
Algorithm choose_convolution(Pass pass, const Shape& x, const Shape& w, const Conv2dOptions& options);

}  // namespace tandem::kernels
