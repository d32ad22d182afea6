// What comes after the sums of a convolution or a product, in the memory of their output: bias and leaky ReLU in one
// pass, for those implementations that do not do it on their way out. Private to kernels.
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

/// Throws Error unless b, which is defined, has shape [channels]; x and w are what it names beside.
void require_bias_shape(const char* where, const Array& b, std::int64_t channels, const Shape& x, const Shape& w);

/// y[i, c] = u where u > 0, else slope u, with u = y[i, c] + b[c] for i < rows; b null is 0, a slope of 1 leaves u. NaN
/// stays NaN, and slope 0 gives 0 for every u <= 0.
void finish_rows(float* y, const float* b, std::int64_t rows, std::int64_t columns, double slope);

/// The same for dense channels-last images y [N, C, H, W], f32, and b [C] or undefined.
void finish_images(Array& y, const Array& b, double slope);

}  // namespace tandem::kernels
