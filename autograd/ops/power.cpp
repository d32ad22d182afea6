// Powers with a constant and with a variable exponent. Their gradients at 0 are written so that 0 * infinity never
// arises where the limit exists.
#include <tandem/core/kernels/elementwise/elementwise.h>

#include "common.h"

namespace tandem {

/// y = x^c;  dx = c x^(c-1) dy; exact at x = 0 for whole c, because 0^0 = 1 and c = 0 has no gradient
Tensor pow(const Tensor& x, double c) {
  if (c == 2) return square(x);
  return record("pow", kernels::power(ops::floating("pow", "x", x), c), {x}, {x},
                [c](const Tensor& dy, const Saved& saved, Needs) {
                  if (c == 0 || c == 1) return Grads{dy * c};
                  return Grads{dy * (pow(saved[0], c - 1) * c)};
                });
}

/// y = a^b;  da = b a^(b-1) dy, db = y log(a) dy; at a = 0 the limits from above: 0 log 0 = 0
Tensor power(const Tensor& a, const Tensor& b) {
  Array y = kernels::power(ops::floating("power", "a", a), ops::floating("power", "b", b));
  return record("power", std::move(y), {a, b}, {Save(a), Save(b, ops::kInput0), Save::output(ops::kInput1)},
                [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Tensor& base = saved[0];
                  const Array zero = Array::scalar(0, base.dtype());
                  const Tensor one = scalar(1, base.dtype());
                  const Array base_is_zero = kernels::equal(base.value(), zero);
                  Tensor da, db;
                  if (needs[0]) {
                    const Tensor& exponent = saved[1];
                    // 0^0: b a^(b-1) would be 0 * infinity; any exponent but -1 gives the right product 0.
                    const Array both = kernels::multiply(base_is_zero, kernels::equal(exponent.value(), zero));
                    da = sum_to(dy * exponent * power(base, where(both, one, exponent) - 1), shape_a);
                  }
                  if (needs[1]) db = sum_to(dy * saved[2] * log(where(base_is_zero, one, base)), shape_b);
                  return Grads{da, db};
                });
}

}  // namespace tandem
