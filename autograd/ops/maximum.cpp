// The larger and the smaller of two, with broadcasting. Equals share the gradient.
// Not here: the largest along a dim (reduce.cpp).
#include <tandem/core/kernels/elementwise/elementwise.h>

#include "common.h"

namespace tandem {

namespace {

/// 1 where a > b, 1/2 where a = b, else 0.
Array share_of_greater(const Array& a, const Array& b) {
  const Array above = kernels::greater(a, b).to(a.dtype()), from = kernels::greater_equal(a, b).to(a.dtype());
  return kernels::multiply(kernels::add(above, from), 0.5);
}

}  // namespace

/// y = max(a, b);  da = dy where a > b, dy / 2 where a = b
Tensor maximum(const Tensor& a, const Tensor& b) {
  Array y = kernels::maximum(ops::floating("maximum", "a", a), ops::floating("maximum", "b", b));
  return record("maximum", std::move(y), {a, b}, {Save(a.value()), Save(b.value())},
                [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Array &u = saved[0].value(), &v = saved[1].value();
                  return Grads{needs[0] ? sum_to(dy * share_of_greater(u, v), shape_a) : Tensor{},
                               needs[1] ? sum_to(dy * share_of_greater(v, u), shape_b) : Tensor{}};
                });
}

/// y = min(a, b);  da = dy where a < b, dy / 2 where a = b
Tensor minimum(const Tensor& a, const Tensor& b) {
  Array y = kernels::minimum(ops::floating("minimum", "a", a), ops::floating("minimum", "b", b));
  return record("minimum", std::move(y), {a, b}, {Save(a.value()), Save(b.value())},
                [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Array &u = saved[0].value(), &v = saved[1].value();
                  return Grads{needs[0] ? sum_to(dy * share_of_greater(v, u), shape_a) : Tensor{},
                               needs[1] ? sum_to(dy * share_of_greater(u, v), shape_b) : Tensor{}};
                });
}

}  // namespace tandem
