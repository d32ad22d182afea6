// Convolution of activations in bf16, channels-last, with f32 master weights or bf16 ones: sums in f32, rounded once.
// On oneDNN where the processor has instructions for bf16, else by way of f32 with the same rounding of the inputs.
// Weight gradients are f32 to begin with. Private to conv2d.cpp, which has checked shapes and dtypes.
#pragma once

#include <tandem/core/kernels/convolution/conv2d.h>

namespace tandem::kernels {

/// x bf16; w, b f32 or bf16, b may be undefined; y of `shape`, bf16: u where the sum u > 0, else slope u.
Array bf16_conv2d(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, const Shape& shape,
                  double slope);
/// dy bf16, w f32 or bf16; dx bf16.
Array bf16_conv2d_input_grad(const Array& dy, const Array& w, const Shape& x, const Conv2dOptions& options);
/// dy, x bf16; dw f32, row major.
Array bf16_conv2d_weight_grad(const Array& dy, const Array& x, const Shape& w, const Conv2dOptions& options);

/// dw by unfolding x into rows of windows and one product dy^T x, one group; what bf16_conv2d_weight_grad chooses by a
/// table of shapes.
Array bf16_unfolded_weight_grad(const Array& dy, const Array& x, const Shape& w, const Conv2dOptions& options);

}  // namespace tandem::kernels
