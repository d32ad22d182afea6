// Losses against numbers: squared error and binary cross-entropy. Scalars, the mean over all elements.
// Not here: losses against labels (cross_entropy.cpp).
#include <fmt/format.h>

#include <tandem/core/kernels/elementwise.h>
#include <tandem/core/kernels/reduce.h>

#include "common.h"

namespace tandem {

namespace {

/// Broadcasting in a loss hides mistakes, so shapes must be equal.
void require_equal_shapes(const char* op, const Array& x, const Array& target) {
  if (x.shape() == target.shape()) return;
  fail(op, "x and target must have the same shape",
       fmt::format("x {}, target {}", to_string(x.shape()), to_string(target.shape())));
}

}  // namespace

/// y = mean (x - t)^2;  dx = 2 (x - t) dy / n, dt = -dx
Tensor mse_loss(const Tensor& x, const Tensor& target) {
  const Array &a = ops::floating("mse_loss", "x", x), &t = ops::floating("mse_loss", "target", target);
  require_equal_shapes("mse_loss", a, t);
  const double n = static_cast<double>(a.size());
  Array y = Array::scalar(kernels::sum_of_squares(kernels::subtract(a, t)) / n, a.dtype());
  return record("mse_loss", std::move(y), {x, target}, {x, target},
                [n](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Tensor dx = (saved[0] - saved[1]) * (dy * (2 / n));
                  return Grads{needs[0] ? dx : Tensor{}, needs[1] ? negate(dx) : Tensor{}};
                });
}

/// y = mean (softplus(x) - x t);  dx = (sigmoid(x) - t) dy / n, dt = -x dy / n
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target) {
  constexpr const char* op = "binary_cross_entropy_with_logits";
  const Array &a = ops::floating(op, "x", x), &t = ops::floating(op, "target", target);
  require_equal_shapes(op, a, t);
  const double n = static_cast<double>(a.size());
  Array y = kernels::mean(kernels::subtract(kernels::softplus(a), kernels::multiply(a, t)));
  return record(op, std::move(y), {x, target}, {x, Save(target, ops::kInput0)},
                [n](const Tensor& dy, const Saved& saved, Needs needs) {
                  return Grads{needs[0] ? (sigmoid(saved[0]) - saved[1]) * (dy / n) : Tensor{},
                               needs[1] ? saved[0] * (dy / -n) : Tensor{}};
                });
}

}  // namespace tandem
