// The checks of elementwise_apply.h, in the grammar of errors.
#include <tandem/core/kernels/elementwise/elementwise_apply.h>

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include <tandem/core/error.h>

namespace tandem::kernels::detail {

DType common_dtype(const Names& names, Accepts accepts, std::span<const Array* const> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) require_defined(names.where, names.inputs[i], *inputs[i]);
  DType dtype = inputs[0]->dtype();
  int rank = inputs[0]->rank();
  for (const Array* x : inputs.subspan(1)) {
    dtype = result_type(dtype, rank, x->dtype(), x->rank());
    rank = std::max(rank, x->rank());
  }
  if (accepts == Accepts::floats && !is_floating(dtype)) require_floating(names.where, names.inputs[0], *inputs[0]);
  if (accepts == Accepts::numbers && dtype == DType::boolean) {
    fail(names.where, "needs numbers", fmt::format("{} is bool", names.inputs[0]), "convert with to()");
  }
  return dtype;
}

DType dtype_with_number(const char* where, const Array& x, double c) {
  require_defined(where, "x", x);
  const DType dtype = result_type(x.dtype(), c);
  if (is_floating(dtype)) return dtype;
  const bool fits = visit_dtype(dtype, [c](auto element) {
    using Limits = std::numeric_limits<decltype(element)>;
    if constexpr (!Limits::is_integer)
      return true;
    else
      return c >= static_cast<double>(Limits::min()) && c < std::ldexp(1.0, Limits::digits);
  });
  if (!fits) {
    fail(where, fmt::format("{} is not a number of {}", c, name(dtype)), fmt::format("x is {}", name(x.dtype())),
         "convert x with to()");
  }
  return dtype;
}

Shape common_shape(const Names& names, std::span<const Array* const> inputs) {
  Shape shape = inputs[0]->shape();
  for (const Array* x : inputs.subspan(1)) {
    if (!(x->shape() == shape)) shape = broadcast_shape(names.where, shape, x->shape());
  }
  return shape;
}

}  // namespace tandem::kernels::detail
