// Which shapes are multiplied: the one check of all products. Private to core/kernels/product.
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels::detail {

/// Throws Error unless a is [..., m, k] and b [..., k, n]; leading dims are not looked at.
void require_matmul_shapes(const char* where, const Shape& a, const Shape& b);
/// Throws Error unless x is [..., i], w [o, i] and b [o] or undefined.
void require_linear_shapes(const char* where, const Shape& x, const Shape& w, const Array& b);

}  // namespace tandem::kernels::detail
