// Dropout (Srivastava et al. 2014), scaled while training so that evaluation is the identity.
#include <tandem/core/kernels/elementwise/elementwise.h>

#include "common.h"

namespace tandem {

/// y = x m, m = 1 / (1 - p) with probability 1 - p, else 0;  dx = dy m
Tensor dropout(const Tensor& x, double p, Generator& generator) {
  const Array& value = ops::floating("dropout", "x", x);
  if (p == 0) return x;
  Array mask = Array::empty_like(value);
  generator.fill_dropout_mask(mask, p);
  Array y = kernels::multiply(value, mask);
  return record("dropout", std::move(y), {x}, {Save(std::move(mask))},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{dy * saved[0]}; });
}

}  // namespace tandem
