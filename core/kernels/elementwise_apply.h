// apply: from a functor of scalars to a kernel on Arrays. Checks and names the inputs, broadcasts, lays out the output,
// and runs f32 through strided_loop.h, bf16 as f32, everything else through reference/elementwise.h.
// Private to elementwise.cpp, functions.cpp and activations.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include <tandem/core/array.h>
#include <tandem/core/kernels/reference/elementwise.h>
#include <tandem/core/kernels/strided_loop.h>
#include <tandem/core/layout.h>

namespace tandem::kernels::detail {

/// What error messages call the kernel and its inputs.
struct Names {
  const char* where;
  std::array<const char*, 3> inputs{"x", "", ""};
};

/// Which dtypes a functor is meant for.
enum class Accepts { numbers, floats };

/// The one dtype of all inputs. Throws Error naming an undefined input, two dtypes that differ, integers for floats.
DType common_dtype(const Names& names, Accepts accepts, std::span<const Array* const> inputs);
/// The shape that all inputs broadcast to.
Shape common_shape(const Names& names, std::span<const Array* const> inputs);
/// Throws Error when a number cannot be what a kernel adds to, multiplies or compares with elements of this dtype.
void require_fits(const char* where, double c, DType dtype);

template <Accepts accepts, class F, class... X>
Array apply(const Names& names, F f, const X&... x) {
  const std::array<const Array*, sizeof...(X)> inputs{&x...};
  const DType dtype = common_dtype(names, accepts, inputs);
  if (dtype == DType::bf16) return apply<accepts>(names, f, x.to(DType::f32)...).to(DType::bf16);
  const Shape shape = common_shape(names, inputs);
  Array y = Array::empty(shape, dtype, propagate_layout(shape.rank(), {&x...}));
  if (shape.count() == 0) return y;
  const auto with_reference = [&](auto scalar) {
    using T = decltype(scalar);
    reference::map<T, std::conditional_t<true, T, X>...>(y, f, x...);
  };
  if (dtype == DType::f32) {
    const std::array<const Array*, sizeof...(X) + 1> operands{&y, &x...};
    run_loop(plan_loop(operands), f, y.template data<float>(), x.template data<float>()...);
  } else if (dtype == DType::f64) {
    with_reference(double{});
  } else if constexpr (accepts == Accepts::numbers) {
    if (dtype == DType::i64) with_reference(std::int64_t{});
    if (dtype == DType::u8) with_reference(std::uint8_t{});
  }
  return y;
}

/// f on one input of any dtype; on one floating input; on two of any dtype, called a and b.
template <class F>
Array map_number(const char* where, const Array& x, F f) {
  return apply<Accepts::numbers>({where}, f, x);
}
template <class F>
Array map_float(const char* where, const Array& x, F f) {
  return apply<Accepts::floats>({where}, f, x);
}
template <class F>
Array map_pair(const char* where, const Array& a, const Array& b, F f) {
  return apply<Accepts::numbers>({where, {"a", "b", ""}}, f, a, b);
}

}  // namespace tandem::kernels::detail
