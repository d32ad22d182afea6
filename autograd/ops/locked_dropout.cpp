// Variational dropout (Gal & Ghahramani 2016, "A theoretically grounded application of dropout in recurrent neural
// networks"): one mask for all steps of a sequence.
#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

#include "common.h"

namespace tandem {

/// y = x m, m of size 1 at dim: 1 / (1 - p) with probability 1 - p, else 0;  dx = dy m
Tensor locked_dropout(const Tensor& x, double p, int dim, Generator& generator) {
  const Array& value = ops::floating("locked_dropout", "x", x);
  if (p == 0) return x;
  Shape shape = value.shape();
  shape[normalize_dim("locked_dropout", dim, shape.rank())] = 1;
  Array mask = Array::empty(shape, value.dtype());
  generator.fill_dropout_mask(mask, p);
  Array y = kernels::multiply(value, mask);
  return record("locked_dropout", std::move(y), {x}, {Save(std::move(mask))},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{dy * saved[0]}; });
}

}  // namespace tandem
