// Comparisons: bool, without gradient. Not here: maximum, minimum and where, which have one.
#include <tandem/autograd/array_ops.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

#include "common.h"

namespace tandem {

using ops::value_of;

namespace {

/// NaN differs from everything, itself too: the opposite of a comparison is not another comparison.
Array opposite(const Array& truth) { return kernels::equal(truth, 0); }

}  // namespace

Tensor equal(const Tensor& a, const Tensor& b) {
  return kernels::equal(value_of("equal", "a", a), value_of("equal", "b", b));
}
Tensor not_equal(const Tensor& a, const Tensor& b) {
  return opposite(kernels::equal(value_of("not_equal", "a", a), value_of("not_equal", "b", b)));
}
Tensor greater(const Tensor& a, const Tensor& b) {
  return kernels::greater(value_of("greater", "a", a), value_of("greater", "b", b));
}
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return kernels::greater_equal(value_of("greater_equal", "a", a), value_of("greater_equal", "b", b));
}
Tensor less(const Tensor& a, const Tensor& b) {
  return kernels::greater(value_of("less", "b", b), value_of("less", "a", a));
}
Tensor less_equal(const Tensor& a, const Tensor& b) {
  return kernels::greater_equal(value_of("less_equal", "b", b), value_of("less_equal", "a", a));
}

Tensor equal(const Tensor& x, double c) { return kernels::equal(value_of("equal", "x", x), c); }
Tensor not_equal(const Tensor& x, double c) { return opposite(kernels::equal(value_of("not_equal", "x", x), c)); }
Tensor greater(const Tensor& x, double c) { return kernels::greater(value_of("greater", "x", x), c); }
Tensor greater_equal(const Tensor& x, double c) { return kernels::greater_equal(value_of("greater_equal", "x", x), c); }
Tensor less(const Tensor& x, double c) { return kernels::less(value_of("less", "x", x), c); }
Tensor less_equal(const Tensor& x, double c) { return kernels::less_equal(value_of("less_equal", "x", x), c); }

}  // namespace tandem
