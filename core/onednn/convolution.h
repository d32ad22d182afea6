// Convolutions on oneDNN: finds or makes the primitive for a problem and runs it. Activations are channels-last,
// f32 or bf16.
// Not here: checks, layouts of arguments, other dtypes (core/kernels/convolution/conv2d.cpp), packing
// (packed_weights.h).
#pragma once

#include <tandem/core/array.h>
#include <tandem/core/kernels/convolution/conv2d.h>

namespace tandem::onednn {

/// All three write into a given output and return false when the library has no implementation for the problem.
/// x, y, dx, dy are channels-last and of one dtype, f32 or bf16; w is dense, b contiguous or undefined. With bf16
/// activations w and b are f32 or bf16: w is rounded as it is packed. y is u where u > 0, else slope u; with a slope of
/// 0, NaN becomes 0.
bool convolution(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, Array& y,
                 float slope = 1);
bool convolution_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx);
/// dw is row major and f32. Given db [K], f32 or of the dtype of dy, it becomes sum dy over all but the channels.
bool convolution_weight_grad(const Array& dy, const Array& x, const Conv2dOptions& options, Array& dw,
                             Array* db = nullptr);

}  // namespace tandem::onednn
