// Checks shared by the op files. Read next: common.h.
#include "common.h"

#include <fmt/format.h>

namespace tandem::ops {

const Array& floating(const char* op, const char* name, const Tensor& x) {
  const Array& value = value_of(op, name, x);
  if (!is_floating(value.dtype())) {
    fail(op, fmt::format("{} is {}, must be floating", name, tandem::name(value.dtype())),
         fmt::format("{} {}", name, value.shape().to_string()), "convert it with Array::to(DType::f32)");
  }
  return value;
}

}  // namespace tandem::ops
