// Softmax and its logarithm along one dim.
// Not here: the loss on top of them (cross_entropy.cpp).
#include <tandem/core/kernels/normalise/softmax.h>

#include "common.h"

namespace tandem {

/// y_j = e^(x_j) / sum_i e^(x_i);  dx_j = y_j (dy_j - sum_i dy_i y_i)
Tensor softmax(const Tensor& x, int dim) {
  const Array& value = ops::floating("softmax", "x", x);
  dim = normalize_dim("softmax", dim, value.rank());
  return record("softmax", kernels::softmax(value, dim), {x}, {Save::output()},
                [dim](const Tensor& dy, const Saved& saved, Needs) {
                  const Tensor& y = saved[0];
                  if (!is_recording()) return Grads{kernels::softmax_grad(dy.value(), y.value(), dim)};
                  return Grads{y * (dy - sum(dy * y, {dim}, true))};
                });
}

/// y_j = x_j - log sum_i e^(x_i);  dx_j = dy_j - e^(y_j) sum_i dy_i
Tensor log_softmax(const Tensor& x, int dim) {
  const Array& value = ops::floating("log_softmax", "x", x);
  dim = normalize_dim("log_softmax", dim, value.rank());
  return record("log_softmax", kernels::log_softmax(value, dim), {x}, {Save::output()},
                [dim](const Tensor& dy, const Saved& saved, Needs) {
                  const Tensor& y = saved[0];
                  if (!is_recording()) return Grads{kernels::log_softmax_grad(dy.value(), y.value(), dim)};
                  return Grads{dy - exp(y) * sum(dy, {dim}, true)};
                });
}

}  // namespace tandem
