// Sums, products and quotients, with broadcasting: the gradient of a broadcast input is summed down to its shape.
// Not here: powers (power.cpp), maximum and minimum (maximum.cpp).
#include <tandem/core/kernels/elementwise/elementwise.h>

#include "common.h"

namespace tandem {

using ops::kInput0, ops::kInput1, ops::value_of;

/// y = a + b;  da = dy, db = dy
Tensor add(const Tensor& a, const Tensor& b) {
  Array y = kernels::add(value_of("add", "a", a), value_of("add", "b", b));
  return record("add", std::move(y), {a, b}, {},
                [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved&, Needs needs) {
                  return Grads{needs[0] ? sum_to(dy, shape_a) : Tensor{}, needs[1] ? sum_to(dy, shape_b) : Tensor{}};
                });
}

/// y = a - b;  da = dy, db = -dy
Tensor subtract(const Tensor& a, const Tensor& b) {
  Array y = kernels::subtract(value_of("subtract", "a", a), value_of("subtract", "b", b));
  return record(
      "subtract", std::move(y), {a, b}, {},
      [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved&, Needs needs) {
        return Grads{needs[0] ? sum_to(dy, shape_a) : Tensor{}, needs[1] ? negate(sum_to(dy, shape_b)) : Tensor{}};
      });
}

/// y = a b;  da = dy b, db = dy a
Tensor multiply(const Tensor& a, const Tensor& b) {
  Array y = kernels::multiply(value_of("multiply", "a", a), value_of("multiply", "b", b));
  return record("multiply", std::move(y), {a, b}, {Save(a, kInput1), Save(b, kInput0)},
                [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved& saved, Needs needs) {
                  return Grads{needs[0] ? sum_to(dy * saved[1], shape_a) : Tensor{},
                               needs[1] ? sum_to(dy * saved[0], shape_b) : Tensor{}};
                });
}

/// y = a / b;  da = dy / b, db = -y dy / b
Tensor divide(const Tensor& a, const Tensor& b) {
  Array y = kernels::divide(value_of("divide", "a", a), value_of("divide", "b", b));
  return record("divide", std::move(y), {a, b}, {Save(b), Save::output(kInput1)},
                [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Tensor quotient = dy / saved[0];
                  return Grads{needs[0] ? sum_to(quotient, shape_a) : Tensor{},
                               needs[1] ? negate(sum_to(quotient * saved[1], shape_b)) : Tensor{}};
                });
}

/// y = x + c;  dx = dy
Tensor add(const Tensor& x, double c) {
  return record("add", kernels::add(value_of("add", "x", x), c), {x}, {},
                [](const Tensor& dy, const Saved&, Needs) { return Grads{dy}; });
}

/// y = c x;  dx = c dy
Tensor multiply(const Tensor& x, double c) {
  return record("multiply", kernels::multiply(value_of("multiply", "x", x), c), {x}, {},
                [c](const Tensor& dy, const Saved&, Needs) { return Grads{dy * c}; });
}

/// y = -x;  dx = -dy
Tensor negate(const Tensor& x) {
  return record("negate", kernels::negate(value_of("negate", "x", x)), {x}, {},
                [](const Tensor& dy, const Saved&, Needs) { return Grads{negate(dy)}; });
}

/// y = c / x;  dx = -y dy / x
Tensor operator/(double c, const Tensor& x) {
  Array y = kernels::multiply(kernels::reciprocal(ops::floating("divide", "x", x)), c);
  return record("divide", std::move(y), {x}, {x, Save::output()},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{negate(dy * saved[1] / saved[0])}; });
}

}  // namespace tandem
