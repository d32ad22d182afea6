// Which dtypes the parameters and statistics of a normalisation have: those of x; beside x of bf16 or f16, statistics
// are f32 and parameters may be. Private to core/kernels/normalise.
#pragma once

#include <fmt/format.h>

#include <tandem/core/array.h>
#include <tandem/core/error.h>

namespace tandem::kernels::detail {

/// Throws Error unless the dtype of p is x's, or f32 beside bf16 and f16.
inline void require_parameter(const char* where, const char* name, const Array& p, DType x) {
  const bool is_wider = p.defined() && p.dtype() == DType::f32 && work_dtype(x) == DType::f32;
  require_dtype(where, name, p, is_wider ? DType::f32 : x);
}

/// Throws Error unless epsilon is positive.
inline void require_epsilon(const char* where, double epsilon) {
  if (!(epsilon > 0)) fail(where, fmt::format("epsilon is {}, must be positive", epsilon));
}

/// In one piece, in the type that x is computed in; an undefined Array stays so.
inline Array as_parameter(const Array& p, DType x) { return p.defined() ? p.to(work_dtype(x)).contiguous() : p; }

}  // namespace tandem::kernels::detail
