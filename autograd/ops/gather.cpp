// Elements by an index or by a condition. Indices and conditions have no gradient.
// Not here: ranges (slice.cpp).
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/move/index.h>

#include "common.h"

namespace tandem {

using ops::value_of;

/// y[i, j] = x[i, index[i, j]] at dim;  dx = gather_grad(dy): dy added where it was read
Tensor gather(const Tensor& x, int dim, const Tensor& index) {
  const Array& value = value_of("gather", "x", x);
  dim = normalize_dim("gather", dim, value.rank());
  Array y = kernels::gather(value, dim, value_of("gather", "index", index));
  return record("gather", std::move(y), {x}, {Save(index.value())},
                [dim, shape = x.shape()](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{gather_grad(dy, dim, saved[0], shape)};
                });
}

/// The transpose of gather;  its gradient gathers again
Tensor gather_grad(const Tensor& dy, int dim, const Tensor& index, const Shape& shape) {
  Array y =
      kernels::gather_grad(value_of("gather_grad", "dy", dy), dim, value_of("gather_grad", "index", index), shape);
  return record("gather_grad", std::move(y), {dy}, {Save(index.value())},
                [dim](const Tensor& g, const Saved& saved, Needs) { return Grads{gather(g, dim, saved[0])}; });
}

/// y = condition ? a : b;  da = condition ? dy : 0, db = condition ? 0 : dy
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  Array y =
      kernels::where(value_of("where", "condition", condition), value_of("where", "a", a), value_of("where", "b", b));
  return record("where", std::move(y), {a, b}, {Save(condition.value())},
                [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Tensor zero = scalar(0, dy.dtype());
                  return Grads{needs[0] ? sum_to(where(saved[0], dy, zero), shape_a) : Tensor{},
                               needs[1] ? sum_to(where(saved[0], zero, dy), shape_b) : Tensor{}};
                });
}

}  // namespace tandem
