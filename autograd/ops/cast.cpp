// Other dtypes. Not here: promotion of the inputs of an op, whose gradients record.cpp casts back by `to`.
#include <tandem/autograd/array_ops.h>

#include "common.h"

namespace tandem {

/// y = x as dtype;  dx = dy as x's dtype
Tensor to(const Tensor& x, DType dtype) {
  const Array& value = ops::value_of("to", "x", x);
  if (value.dtype() == dtype) return x;
  if (!is_floating(dtype)) return Tensor(value.to(dtype));
  return record("to", value.to(dtype), {x}, {},
                [from = value.dtype()](const Tensor& dy, const Saved&, Needs) { return Grads{to(dy, from)}; });
}

Tensor Tensor::to(DType dtype) const { return tandem::to(*this, dtype); }

}  // namespace tandem
