// Arithmetic, comparisons, where, the in-place kernels and all_finite: one functor each.
// Not here: functions.cpp (exp, tanh ...), activations.cpp (relu ... and gradients). The loops: strided_loop.h.
#include <tandem/core/kernels/elementwise.h>

#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <limits>

#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise_apply.h>
#include <tandem/core/kernels/wrapping.h>
#include <tandem/core/overlap.h>

namespace tandem::kernels {

using detail::map_float;
using detail::map_number;
using detail::map_pair;

namespace {

// 1 or 0 in the type of the operands.
template <class T>
TANDEM_INLINE T truth(bool condition) {
  return condition ? static_cast<T>(1) : static_cast<T>(0);
}

template <class T>
T quotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) fail("divide", "an element of b is 0", fmt::format("dtype {}", name(dtype_of<T>)));
    if (std::is_signed_v<T> && a == std::numeric_limits<T>::min() && b == static_cast<T>(-1)) {
      fail("divide", "the quotient does not fit", fmt::format("{} / -1, dtype {}", a, name(dtype_of<T>)));
    }
  }
  return static_cast<T>(a / b);
}

// a^b. Of integers by squaring, modulo 2^n; a negative power of 1 and -1 is whole, of 0 an Error, of others 0.
template <class T>
T power_of(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b < T(0)) {
      if (a == T(0)) fail("power", "0 to a negative power", fmt::format("dtype {}", name(dtype_of<T>)));
      if (a != T(1) && a != static_cast<T>(-1)) return T(0);
      return a == T(1) || b % 2 == 0 ? T(1) : a;
    }
    T y = 1;
    for (; b > T(0); b = static_cast<T>(b / 2), a = wrapping::multiply(a, a))
      if (b % 2 != 0) y = wrapping::multiply(y, a);
    return y;
  } else {
    return std::pow(a, b);
  }
}

void require_same_shape(const char* where, const Array& y, const Array& x) {
  if (y.shape() == x.shape()) return;
  fail(where, "shapes differ", fmt::format("y {}, x {}", to_string(y.shape()), to_string(x.shape())));
}

}  // namespace

Array add(const Array& a, const Array& b) {
  return map_pair("add", a, b, [](auto x, auto y) { return wrapping::add(x, y); });
}
Array subtract(const Array& a, const Array& b) {
  return map_pair("subtract", a, b, [](auto x, auto y) { return wrapping::subtract(x, y); });
}
Array multiply(const Array& a, const Array& b) {
  return map_pair("multiply", a, b, [](auto x, auto y) { return wrapping::multiply(x, y); });
}
Array divide(const Array& a, const Array& b) {
  return map_pair("divide", a, b, [](auto x, auto y) { return quotient(x, y); });
}
Array power(const Array& a, const Array& b) {
  return map_pair("power", a, b, [](auto x, auto y) { return power_of(x, y); });
}
// NaN in either operand is the result, as in PyTorch.
Array maximum(const Array& a, const Array& b) {
  return map_pair("maximum", a, b, [](auto x, auto y) { return x > y || x != x ? x : y; });
}
Array minimum(const Array& a, const Array& b) {
  return map_pair("minimum", a, b, [](auto x, auto y) { return x < y || x != x ? x : y; });
}
Array equal(const Array& a, const Array& b) {
  return map_pair("equal", a, b, [](auto x, auto y) { return truth<decltype(x)>(x == y); });
}
Array greater(const Array& a, const Array& b) {
  return map_pair("greater", a, b, [](auto x, auto y) { return truth<decltype(x)>(x > y); });
}
Array greater_equal(const Array& a, const Array& b) {
  return map_pair("greater_equal", a, b, [](auto x, auto y) { return truth<decltype(x)>(x >= y); });
}

Array add(const Array& x, double c) {
  detail::require_fits("add", c, x.dtype());
  return map_number("add", x, [c](auto v) { return wrapping::add(v, static_cast<decltype(v)>(c)); });
}
Array multiply(const Array& x, double c) {
  detail::require_fits("multiply", c, x.dtype());
  return map_number("multiply", x, [c](auto v) { return wrapping::multiply(v, static_cast<decltype(v)>(c)); });
}
Array power(const Array& x, double c) {
  if (c == 1) return map_number("power", x, [](auto v) { return v; });
  if (c == 2) return square(x);
  if (c == 3) return map_number("power", x, [](auto v) { return wrapping::multiply(wrapping::multiply(v, v), v); });
  detail::require_fits("power", c, x.dtype());
  if (c == -1) return map_number("power", x, [](auto v) { return quotient(static_cast<decltype(v)>(1), v); });
  return map_number("power", x, [c](auto v) { return power_of(v, static_cast<decltype(v)>(c)); });
}
Array greater(const Array& x, double c) {
  detail::require_fits("greater", c, x.dtype());
  return map_number("greater", x, [c](auto v) { return truth<decltype(v)>(v > static_cast<decltype(v)>(c)); });
}
Array clamp(const Array& x, double low, double high) {
  if (!(low <= high)) fail("clamp", "low is above high", fmt::format("low {}, high {}", low, high));
  return map_float("clamp", x, [low, high](auto v) {
    const auto l = static_cast<decltype(v)>(low), h = static_cast<decltype(v)>(high);
    const auto raised = v < l ? l : v;
    return raised > h ? h : raised;
  });
}
Array clamp_grad(const Array& dy, const Array& x, double low, double high) {
  return detail::apply<detail::Accepts::floats>(
      {"clamp_grad", {"dy", "x", ""}},
      [low, high](auto d, auto v) {
        using T = decltype(v);
        return v >= static_cast<T>(low) && v <= static_cast<T>(high) ? d : T(0);
      },
      dy, x);
}

Array negate(const Array& x) {
  return map_number("negate", x, [](auto v) { return wrapping::negate(v); });
}
Array absolute(const Array& x) {
  return map_number("absolute", x, [](auto v) {
    if constexpr (std::is_floating_point_v<decltype(v)>)
      return std::fabs(v);
    else
      return v < decltype(v)(0) ? wrapping::negate(v) : v;
  });
}
Array sign(const Array& x) {
  return map_number("sign", x, [](auto v) {
    using T = decltype(v);
    return v > T(0) ? T(1) : (v < T(0) ? T(-1) : v);  // zeros and NaN stay
  });
}
Array square(const Array& x) {
  return map_number("square", x, [](auto v) { return wrapping::multiply(v, v); });
}
Array where(const Array& condition, const Array& a, const Array& b) {
  require_defined("where", "condition", condition);
  const detail::Names names{"where", {"a", "b", ""}};
  const std::array<const Array*, 2> values{&a, &b};
  const DType dtype = detail::common_dtype(names, detail::Accepts::numbers, values);
  const std::array<const Array*, 3> inputs{&a, &b, &condition};
  const Shape shape = detail::common_shape(names, inputs);
  Array y = Array::empty(shape, dtype, propagate_layout(shape.rank(), {&a, &b, &condition}));
  if (y.size() == 0) return y;
  const auto choose = [](auto c, auto u, auto v) { return c != decltype(c)(0) ? u : v; };
  const bool is_fast_condition = condition.dtype() == DType::f32 || condition.dtype() == DType::u8;
  if (dtype == DType::f32 && is_fast_condition) {
    const std::array<const Array*, 4> operands{&y, &condition, &a, &b};
    const LoopPlan plan = plan_loop(operands);
    float* out = y.data<float>();
    const float *u = a.data<float>(), *v = b.data<float>();
    if (condition.dtype() == DType::u8)
      run_loop(plan, choose, out, condition.data<std::uint8_t>(), u, v);
    else
      run_loop(plan, choose, out, condition.data<float>(), u, v);
    return y;
  }
  visit_dtype(dtype, [&](auto value) {
    visit_dtype(condition.dtype(), [&](auto truth_value) {
      using T = decltype(value);
      const auto pick = [](auto c, T u, T v) { return static_cast<double>(c) != 0 ? u : v; };
      reference::map<T, decltype(truth_value), T, T>(y, pick, condition, a, b);
    });
  });
  return y;
}

void add_into(Array& y, const Array& x_given) {
  const detail::Names names{"add_into", {"y", "x", ""}};
  const std::array<const Array*, 2> both{&y, &x_given};
  const DType dtype = detail::common_dtype(names, detail::Accepts::numbers, both);
  require_same_shape("add_into", y, x_given);
  require_writable("add_into", "y", y);
  if (y.size() == 0) return;
  const Array x = apart_from(x_given, y);
  const auto sum = [](auto u, auto v) { return wrapping::add(u, v); };
  if (dtype == DType::f32) {
    const std::array<const Array*, 3> operands{&y, &y, &x};
    run_loop(plan_loop(operands), sum, y.data<float>(), static_cast<const float*>(y.data<float>()), x.data<float>());
  } else {
    visit_dtype(dtype, [&](auto scalar) {
      using T = decltype(scalar);
      reference::map<T, T, T>(y, sum, y, x);
    });
  }
  y.mark_changed();
}

void scale_into(Array& y, double c) {
  require_writable("scale_into", "y", y);
  detail::require_fits("scale_into", c, y.dtype());
  if (y.size() == 0) return;
  if (y.dtype() == DType::f32) {
    const std::array<const Array*, 2> operands{&y, &y};
    const auto scaled = [c](float v) { return v * static_cast<float>(c); };
    run_loop(plan_loop(operands), scaled, y.data<float>(), static_cast<const float*>(y.data<float>()));
  } else {
    visit_dtype(y.dtype(), [&](auto scalar) {
      using T = decltype(scalar);
      using Work = std::conditional_t<std::is_same_v<T, bfloat16>, float, T>;
      reference::map<T, T>(
          y, [c](T v) { return wrapping::multiply(static_cast<Work>(v), static_cast<Work>(c)); }, y);
    });
  }
  y.mark_changed();
}

namespace {

// All exponent bits set means infinite or NaN. Integers, so that the loop vectorises as it stands.
template <class Bits>
TANDEM_TARGETS std::int64_t count_not_finite(const Bits* x, std::int64_t n, Bits mask) {
  Bits found = 0;
  for (std::int64_t i = 0; i < n; ++i) found = static_cast<Bits>(found | ((x[i] & mask) == mask ? 1 : 0));
  return found;
}

template <class Bits>
bool all_finite_bits(const Array& x, Bits mask) {
  const Bits* bits = reinterpret_cast<const Bits*>(x.bytes());
  std::atomic<bool> is_finite{true};
  parallel_for(x.size(), kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    if (count_not_finite(bits + begin, end - begin, mask) != 0) is_finite.store(false, std::memory_order_relaxed);
  });
  return is_finite.load();
}

}  // namespace

bool all_finite(const Array& x) {
  require_defined("all_finite", "x", x);
  if (!is_floating(x.dtype()) || x.size() == 0) return true;
  const Array dense = x.is_contiguous() || x.is_channels_last() ? x : x.contiguous();
  if (x.dtype() == DType::f32) return all_finite_bits<std::uint32_t>(dense, 0x7F800000U);
  if (x.dtype() == DType::bf16) return all_finite_bits<std::uint16_t>(dense, 0x7F80U);
  return all_finite_bits<std::uint64_t>(dense, 0x7FF0000000000000U);
}

}  // namespace tandem::kernels
