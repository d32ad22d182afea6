// apply: from a functor of scalars to a kernel on Arrays. Checks and names the inputs, promotes their dtypes,
// broadcasts, lays out the output, and runs strided_loop.h in the type that the promoted dtype is computed in.
// Private to elementwise.cpp, functions.cpp and activations.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include <tandem/core/array.h>
#include <tandem/core/kernels/elementwise/strided_loop.h>
#include <tandem/core/layout.h>
#include <tandem/core/profile.h>

namespace tandem::kernels::detail {

/// What error messages call the kernel and its inputs.
struct Names {
  const char* where;
  std::array<const char*, 3> inputs{"x", "", ""};
};

/// Which dtypes a functor is meant for: all, all but bool, or floating ones.
enum class Accepts { all, numbers, floats };

/// The dtype that all inputs (and the number c) are promoted to. Throws Error naming an undefined input, integers for
/// floats, bool for numbers.
DType common_dtype(const Names& names, Accepts accepts, std::span<const Array* const> inputs);
DType dtype_with_number(const char* where, const Array& x, double c);
/// The shape that all inputs broadcast to.
Shape common_shape(const Names& names, std::span<const Array* const> inputs);

/// y[i] = f(x[i]...) in the type that `dtype` is computed in.
template <Accepts accepts, class F, class... X>
void run(const char* name, DType dtype, F f, Array& y, const X&... x) {
  if (y.size() == 0) return;
  if (work_dtype(dtype) == DType::f32) {
    run_loop<float>(name, f, y, x...);
  } else if (dtype == DType::f64) {
    run_loop<double>(name, f, y, x...);
  } else if constexpr (accepts != Accepts::floats) {
    run_loop<std::int64_t>(name, f, y, x...);
  }
}

/// A comparison makes bool, anything else `dtype`.
template <Accepts accepts, class F, class... X>
Array apply_in(DType dtype, const Names& names, F f, const X&... x) {
  constexpr bool is_test = std::is_same_v<std::invoke_result_t<F, std::conditional_t<true, float, X>...>, bool>;
  const std::array<const Array*, sizeof...(X)> inputs{&x...};
  const Shape shape = common_shape(names, inputs);
  const profile::KernelScope profiled(names.where, dtype, [&] {
    return profile::Work{static_cast<double>(shape.count()), profile::bytes(x..., profile::bytes_of(shape, dtype))};
  });
  Array y = Array::empty(shape, is_test ? DType::boolean : dtype, propagate_layout(shape.rank(), {&x...}));
  run<accepts>(names.where, dtype, f, y, x...);
  return y;
}

template <Accepts accepts, class F, class... X>
Array apply(const Names& names, F f, const X&... x) {
  const std::array<const Array*, sizeof...(X)> inputs{&x...};
  return apply_in<accepts>(common_dtype(names, accepts, inputs), names, f, x...);
}

/// f on one input of any dtype; on one floating input; on two of any dtype, called a and b; on one and the number c.
template <class F>
Array map_number(const char* where, const Array& x, F f) {
  return apply<Accepts::numbers>({where}, f, x);
}
template <class F>
Array map_float(const char* where, const Array& x, F f) {
  return apply<Accepts::floats>({where}, f, x);
}
template <Accepts accepts = Accepts::all, class F>
Array map_pair(const char* where, const Array& a, const Array& b, F f) {
  return apply<accepts>({where, {"a", "b", ""}}, f, a, b);
}
template <class F>
Array map_with_number(const char* where, const Array& x, double c, F f) {
  return apply_in<Accepts::all>(dtype_with_number(where, x, c), {where}, f, x);
}

}  // namespace tandem::kernels::detail
