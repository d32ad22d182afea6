// What softmax.cpp and cross_entropy.cpp share. Private to them.
#pragma once

#include <tandem/core/kernels/normalise/softmax.h>

namespace tandem::kernels::detail {

/// log_softmax with results of `dtype`: that of x, or f32 for losses of bf16 and f16.
Array log_softmax_as(const Array& x, int dim, DType dtype);

}  // namespace tandem::kernels::detail
