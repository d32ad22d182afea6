// Mathematical functions of one input of elementwise.h: one functor each. f32 by vector_math.h, f64 by <cmath>.
#include <cmath>

#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/elementwise/elementwise_apply.h>
#include <tandem/core/kernels/vector_math.h>

namespace tandem::kernels {

namespace math = vector_math;
using detail::map_float;

Array exp(const Array& x) {
  return map_float("exp", x, [](auto v) { return math::exp(v); });
}
Array log(const Array& x) {
  return map_float("log", x, [](auto v) { return math::log(v); });
}
Array sqrt(const Array& x) {
  return map_float("sqrt", x, [](auto v) { return std::sqrt(v); });
}
Array reciprocal(const Array& x) {
  return map_float("reciprocal", x, [](auto v) { return decltype(v)(1) / v; });
}
Array sin(const Array& x) {
  return map_float("sin", x, [](auto v) { return std::sin(v); });
}
Array cos(const Array& x) {
  return map_float("cos", x, [](auto v) { return std::cos(v); });
}
Array erf(const Array& x) {
  return map_float("erf", x, [](auto v) { return math::erf(v); });
}
Array tanh(const Array& x) {
  return map_float("tanh", x, [](auto v) { return math::tanh(v); });
}
Array sigmoid(const Array& x) {
  return map_float("sigmoid", x, [](auto v) { return math::sigmoid(v); });
}

}  // namespace tandem::kernels
