// The checks of elementwise_apply.h, in the grammar of errors.
#include <tandem/core/kernels/elementwise_apply.h>

#include <fmt/format.h>

#include <cmath>

#include <tandem/core/error.h>

namespace tandem::kernels::detail {

DType common_dtype(const Names& names, Accepts accepts, std::span<const Array* const> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) require_defined(names.where, names.inputs[i], *inputs[i]);
  const DType dtype = inputs[0]->dtype();
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i]->dtype() == dtype) continue;
    fail(names.where, "dtypes differ",
         fmt::format("{} is {}, {} is {}", names.inputs[0], name(dtype), names.inputs[i], name(inputs[i]->dtype())),
         "convert one with to()");
  }
  if (accepts == Accepts::floats && !is_floating(dtype)) {
    fail(names.where, "needs floating numbers", fmt::format("{} is {}", names.inputs[0], name(dtype)),
         "convert with to()");
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

void require_fits(const char* where, double c, DType dtype) {
  if (is_floating(dtype)) return;
  const double low = dtype == DType::u8 ? 0.0 : -0x1p63;
  const double high = dtype == DType::u8 ? 256.0 : 0x1p63;
  if (c == std::trunc(c) && c >= low && c < high) return;
  fail(where, fmt::format("{} is not a number of {}", c, name(dtype)), fmt::format("x is {}", name(dtype)),
       "convert x with to()");
}

}  // namespace tandem::kernels::detail
