// Strided copy with conversion: what Array::contiguous, to_layout, to and copy_from stand on.
// Not here: new Arrays (array.h). Read next: copy.cpp.
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

/// y[i] = x[i], converted to y's dtype. One shape, any strides; x and y must not overlap.
void copy(const Array& x, Array& y);

}  // namespace tandem::kernels
