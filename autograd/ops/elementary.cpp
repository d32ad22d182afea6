// Functions of one number from analysis: exp, log, sqrt, square, abs, sign, reciprocal, sin, cos, erf, clamp.
// Not here: activations (activations.cpp), powers (power.cpp).
#include <numbers>

#include <tandem/autograd/array_ops.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

#include "common.h"

namespace tandem {

using ops::floating, ops::value_of;

/// y = e^x;  dx = y dy
Tensor exp(const Tensor& x) {
  return record("exp", kernels::exp(floating("exp", "x", x)), {x}, {Save::output()},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{dy * saved[0]}; });
}

/// y = log x;  dx = dy / x
Tensor log(const Tensor& x) {
  return record("log", kernels::log(floating("log", "x", x)), {x}, {x},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{dy / saved[0]}; });
}

/// y = sqrt x;  dx = dy / (2 y)
Tensor sqrt(const Tensor& x) {
  return record("sqrt", kernels::sqrt(floating("sqrt", "x", x)), {x}, {Save::output()},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{dy / saved[0] * 0.5}; });
}

/// y = x^2;  dx = 2 x dy
Tensor square(const Tensor& x) {
  return record("square", kernels::square(value_of("square", "x", x)), {x}, {x},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{dy * saved[0] * 2}; });
}

/// y = |x|;  dx = sign(x) dy, 0 at 0
Tensor abs(const Tensor& x) {
  return record(
      "abs", kernels::absolute(value_of("abs", "x", x)), {x}, {Save(x.value())},
      [](const Tensor& dy, const Saved& saved, Needs) { return Grads{dy * Tensor(kernels::sign(saved[0].value()))}; });
}

/// y = sign(x);  dx = 0
Tensor sign(const Tensor& x) {
  return record("sign", kernels::sign(value_of("sign", "x", x)), {x}, {},
                [](const Tensor& dy, const Saved&, Needs) { return Grads{dy * 0}; });
}

/// y = 1 / x;  dx = -y^2 dy
Tensor reciprocal(const Tensor& x) {
  return record("reciprocal", kernels::reciprocal(floating("reciprocal", "x", x)), {x}, {Save::output()},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{negate(dy * square(saved[0]))}; });
}

/// y = sin x;  dx = cos(x) dy
Tensor sin(const Tensor& x) {
  return record("sin", kernels::sin(floating("sin", "x", x)), {x}, {x},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{dy * cos(saved[0])}; });
}

/// y = cos x;  dx = -sin(x) dy
Tensor cos(const Tensor& x) {
  return record("cos", kernels::cos(floating("cos", "x", x)), {x}, {x},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{negate(dy * sin(saved[0]))}; });
}

/// y = erf x;  dx = 2 / sqrt(pi) e^(-x^2) dy
Tensor erf(const Tensor& x) {
  return record("erf", kernels::erf(floating("erf", "x", x)), {x}, {x},
                [](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{dy * exp(negate(square(saved[0]))) * (2 * std::numbers::inv_sqrtpi)};
                });
}

namespace {

/// dy where low <= x <= high: linear in dy, constant in x, so its own transpose.
Tensor clamp_grad(const Tensor& dy, const Array& x, double low, double high) {
  return record("clamp_grad", kernels::clamp_grad(dy.value(), x, low, high), {dy}, {Save(x)},
                [low, high](const Tensor& ddx, const Saved& saved, Needs) {
                  return Grads{clamp_grad(ddx, saved[0].value(), low, high)};
                });
}

}  // namespace

/// y = min(max(x, low), high);  dx = dy where low <= x <= high, else 0
Tensor clamp(const Tensor& x, double low, double high) {
  return record("clamp", kernels::clamp(value_of("clamp", "x", x), low, high), {x}, {Save(x.value())},
                [low, high](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{clamp_grad(dy, saved[0].value(), low, high)};
                });
}

}  // namespace tandem
