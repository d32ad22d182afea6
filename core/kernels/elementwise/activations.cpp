// Activations and the gradients of activations of elementwise.h: one functor each, in one pass over memory.
#include <cmath>

#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/elementwise/elementwise_apply.h>
#include <tandem/core/kernels/vector_math.h>

namespace tandem::kernels {

namespace math = vector_math;
using detail::map_float;

namespace {

constexpr double kInverseSqrt2Pi = 0.39894228040143267794;

template <class F>
Array map_grad(const char* where, const char* second, const Array& dy, const Array& x, F f) {
  return detail::apply<detail::Accepts::floats>({where, {"dy", second, ""}}, f, dy, x);
}

}  // namespace

Array softplus(const Array& x) {
  return map_float("softplus", x, [](auto v) {
    using T = decltype(v);
    return (v > T(0) ? v : T(0)) + math::log1p_unit(math::exp(-std::fabs(v)));
  });
}
// x < 0 decides, so that NaN stays NaN.
Array relu(const Array& x) {
  return map_float("relu", x, [](auto v) { return v < decltype(v)(0) ? decltype(v)(0) : v; });
}
Array leaky_relu(const Array& x, double slope) {
  return map_float("leaky_relu", x, [slope](auto v) {
    const auto scaled = v * static_cast<decltype(v)>(slope);
    return v > decltype(v)(0) ? v : scaled;
  });
}
Array elu(const Array& x, double alpha) {
  return map_float("elu", x, [alpha](auto v) {
    const auto below = static_cast<decltype(v)>(alpha) * math::expm1_nonpositive(v);
    return v > decltype(v)(0) ? v : below;
  });
}
Array gelu(const Array& x) {
  return map_float("gelu", x, [](auto v) { return v * math::normal(v).cdf; });
}
Array silu(const Array& x) {
  return map_float("silu", x, [](auto v) { return v * math::sigmoid(v); });
}

Array relu_grad(const Array& dy, const Array& y) {
  return map_grad("relu_grad", "y", dy, y, [](auto d, auto v) { return v <= decltype(v)(0) ? decltype(v)(0) : d; });
}
Array leaky_relu_grad(const Array& dy, const Array& x, double slope) {
  return map_grad("leaky_relu_grad", "x", dy, x, [slope](auto d, auto v) {
    const auto scaled = d * static_cast<decltype(v)>(slope);
    return v > decltype(v)(0) ? d : scaled;
  });
}
Array elu_grad(const Array& dy, const Array& x, double alpha) {
  return map_grad("elu_grad", "x", dy, x, [alpha](auto d, auto v) {
    using T = decltype(v);
    const T below = d * static_cast<T>(alpha) * math::exp(v);
    return v > T(0) ? d : below;
  });
}
Array gelu_grad(const Array& dy, const Array& x) {
  return map_grad("gelu_grad", "x", dy, x, [](auto d, auto v) {
    using T = decltype(v);
    const auto [cdf, exponential] = math::normal(v);
    return d * (cdf + v * (static_cast<T>(kInverseSqrt2Pi) * exponential));
  });
}
Array silu_grad(const Array& dy, const Array& x) {
  return map_grad("silu_grad", "x", dy, x, [](auto d, auto v) {
    const auto s = math::sigmoid(v);
    return d * s * (1 + v * (1 - s));
  });
}
Array sigmoid_grad(const Array& dy, const Array& y) {
  return map_grad("sigmoid_grad", "y", dy, y, [](auto d, auto v) { return d * v * (1 - v); });
}
Array tanh_grad(const Array& dy, const Array& y) {
  return map_grad("tanh_grad", "y", dy, y, [](auto d, auto v) { return d * (1 - v * v); });
}

}  // namespace tandem::kernels
