// Checks shared by the op files. Read next: common.h.
#include "common.h"

#include <tandem/autograd/autocast.h>

namespace tandem::ops {

const Array& floating(const char* op, const char* name, const Tensor& x) {
  const Array& value = value_of(op, name, x);
  require_floating(op, name, value);
  return value;
}

Tensor autocasted(const Tensor& x) {
  if (autocast_dtype() == DType::f32 || !x.defined()) return x;
  return x.dtype() == DType::f32 || x.dtype() == DType::f16 ? to(x, autocast_dtype()) : x;
}

Tensor sum_as(const Tensor& dy, const Dims& dims, DType dtype) { return sum(to(dy, dtype), dims); }

}  // namespace tandem::ops
