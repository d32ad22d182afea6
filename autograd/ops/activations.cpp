// Activations. A first-order backward is one fused pass; second derivatives are those of the definition. Sigmoid and
// tanh keep their output alone, which is in memory anyway: what definitions rest on, they have the same formula with
// ops. Not here: softmax (softmax.cpp). Read next: core/kernels/elementwise/elementwise.h, where the fused gradients
// are.
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include <tandem/autograd/remade.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

#include "common.h"

namespace tandem {

using ops::floating;

namespace ops {

Tensor relu_grad(const Tensor& dy, const Array& y) {
  return record("relu_grad", kernels::relu_grad(dy.value(), y), {dy}, {Save(y)},
                [](const Tensor& ddx, const Saved& saved, Needs) { return Grads{relu_grad(ddx, saved[0].value())}; });
}

Tensor leaky_relu_grad(const Tensor& dy, const Array& y, double slope) {
  return record("leaky_relu_grad", kernels::leaky_relu_grad(dy.value(), y, slope), {dy}, {Save(y)},
                [slope](const Tensor& ddx, const Saved& saved, Needs) {
                  return Grads{leaky_relu_grad(ddx, saved[0].value(), slope)};
                });
}

void require_slope(const char* op, double slope) {
  if (!(slope >= 0)) fail(op, fmt::format("slope is {}, must be at least 0", slope), {}, "use leaky_relu");
}

}  // namespace ops

/// y = max(x, 0);  dx = dy where y > 0, else 0
Tensor relu(const Tensor& x) {
  return record(
      "relu", kernels::relu(floating("relu", "x", x)), {x}, {Save::output()},
      [](const Tensor& dy, const Saved& saved, Needs) { return Grads{ops::relu_grad(dy, saved[0].value())}; });
}

/// y = x where x > 0, else slope x;  dx = dy where x > 0, else slope dy
Tensor leaky_relu(const Tensor& x, double slope) {
  Array y = kernels::leaky_relu(floating("leaky_relu", "x", x), slope);
  // For slope >= 0 the output has the sign of the input.
  return record("leaky_relu", std::move(y), {x}, {slope >= 0 ? Save::output() : Save(x.value())},
                [slope](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{ops::leaky_relu_grad(dy, saved[0].value(), slope)};
                });
}

/// y = x where x > 0, else alpha (e^x - 1);  dx = dy where x > 0, else dy alpha e^x
Tensor elu(const Tensor& x, double alpha) {
  Array y = kernels::elu(floating("elu", "x", x), alpha);
  return record("elu", std::move(y), {x}, {x}, [alpha](const Tensor& dy, const Saved& saved, Needs) {
    const Tensor& u = saved[0];
    if (!is_recording()) return Grads{kernels::elu_grad(dy.value(), u.value(), alpha)};
    return Grads{where(kernels::greater(u.value(), 0.0), dy,
                       dy * (alpha * exp(clamp(u, -std::numeric_limits<double>::infinity(), 0))))};
  });
}

/// y = x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2;  dx = dy (Phi(x) + x phi(x)), phi(x) = e^(-x^2/2) / sqrt(2 pi)
Tensor gelu(const Tensor& x) {
  Tensor y = record("gelu", kernels::gelu(floating("gelu", "x", x)), {x}, {x},
                    [](const Tensor& dy, const Saved& saved, Needs) {
                      return Grads{kernels::gelu_grad(dy.value(), saved[0].value())};
                    },
                    {.definition = [](const std::vector<Tensor>& in, const Saved&) {
                      return in[0] * ((erf(in[0] / std::numbers::sqrt2) + 1) / 2);
                    }});
  ops::remake(y, {&x.value()}, [](const std::vector<Array>& from) { return kernels::gelu(from[0]); });
  return y;
}

/// y = x s, s = sigmoid(x);  dx = dy s (1 + x (1 - s))
Tensor silu(const Tensor& x) {
  Tensor y = record("silu", kernels::silu(floating("silu", "x", x)), {x}, {x},
                    [](const Tensor& dy, const Saved& saved, Needs) {
                      return Grads{kernels::silu_grad(dy.value(), saved[0].value())};
                    },
                    {.definition = [](const std::vector<Tensor>& in, const Saved&) { return in[0] * sigmoid(in[0]); }});
  ops::remake(y, {&x.value()}, [](const std::vector<Array>& from) { return kernels::silu(from[0]); });
  return y;
}

/// y = 1 / (1 + e^-x);  dx = dy y (1 - y)
Tensor sigmoid(const Tensor& x) {
  return record("sigmoid", kernels::sigmoid(floating("sigmoid", "x", x)), {x}, {Save::output()},
                [](const Tensor& dy, const Saved& saved, Needs) {
                  const Tensor& y = saved[0];
                  if (!is_recording()) return Grads{kernels::sigmoid_grad(dy.value(), y.value())};
                  return Grads{dy * y * (1 - y)};
                });
}

/// y = tanh x;  dx = dy (1 - y^2)
Tensor tanh(const Tensor& x) {
  return record("tanh", kernels::tanh(floating("tanh", "x", x)), {x}, {Save::output()},
                [](const Tensor& dy, const Saved& saved, Needs) {
                  const Tensor& y = saved[0];
                  if (!is_recording()) return Grads{kernels::tanh_grad(dy.value(), y.value())};
                  return Grads{dy * (1 - square(y))};
                });
}

/// y = log(1 + e^x);  dx = dy sigmoid(x)
Tensor softplus(const Tensor& x) {
  return record("softplus", kernels::softplus(floating("softplus", "x", x)), {x}, {x},
                [](const Tensor& dy, const Saved& saved, Needs) { return Grads{dy * sigmoid(saved[0])}; });
}

}  // namespace tandem
