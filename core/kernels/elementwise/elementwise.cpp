// Arithmetic, comparisons, the in-place kernels and all_finite: one functor each.
// Not here: where.cpp, functions.cpp (exp, tanh ...), activations.cpp (relu ... and gradients). The loops:
// strided_loop.h.
#include <tandem/core/kernels/elementwise/elementwise.h>

#include <fmt/format.h>

#include <atomic>
#include <cmath>

#include <tandem/core/capture.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise_apply.h>
#include <tandem/core/kernels/elementwise/wrapping.h>
#include <tandem/core/overlap.h>
#include <tandem/core/profile.h>

namespace tandem::kernels {

using detail::Accepts, detail::map_float, detail::map_number, detail::map_pair, detail::map_with_number;

namespace {

/// Whether some integer 0 was to have a negative power. Told after the loop: no exception leaves a vectorised one.
class UndefinedPower {
 public:
  void found() { is_found_.store(true, std::memory_order_relaxed); }
  void check(DType dtype) const {
    capture::refuse("power", "of whole numbers looks at what came out");
    if (is_found_.load(std::memory_order_relaxed))
      fail("power", "0 to a negative power", fmt::format("dtype {}", name(dtype)));
  }

 private:
  std::atomic<bool> is_found_{false};
};

// a^b. Of integers by squaring, modulo 2^n; a negative power of 1 and -1 is whole, of 0 undefined, of others 0.
template <class T>
T power_of(T a, T b, [[maybe_unused]] UndefinedPower& undefined) {
  if constexpr (std::is_integral_v<T>) {
    if (b < T(0)) {
      if (a == T(0)) undefined.found();
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
  return map_pair<Accepts::numbers>("subtract", a, b, [](auto x, auto y) { return wrapping::subtract(x, y); });
}
Array multiply(const Array& a, const Array& b) {
  return map_pair("multiply", a, b, [](auto x, auto y) { return wrapping::multiply(x, y); });
}
Array divide(const Array& a, const Array& b) {
  const detail::Names names{"divide", {"a", "b", ""}};
  const std::array<const Array*, 2> inputs{&a, &b};
  const DType dtype = detail::common_dtype(names, Accepts::all, inputs);
  const auto quotient = [](auto x, auto y) { return x / y; };
  return detail::apply_in<Accepts::floats>(is_floating(dtype) ? dtype : DType::f32, names, quotient, a, b);
}
Array power(const Array& a, const Array& b) {
  const detail::Names names{"power", {"a", "b", ""}};
  const std::array<const Array*, 2> inputs{&a, &b};
  const DType dtype = detail::common_dtype(names, Accepts::numbers, inputs);
  if (is_floating(dtype)) {
    return detail::apply_in<Accepts::floats>(
        dtype, names, [](auto u, auto v) { return std::pow(u, v); }, a, b);
  }
  UndefinedPower undefined;
  Array y = detail::apply_in<Accepts::numbers>(
      dtype, names, [&](auto u, auto v) { return power_of(u, v, undefined); }, a, b);
  undefined.check(dtype);
  return y;
}
// NaN in either operand is the result, as in PyTorch.
Array maximum(const Array& a, const Array& b) {
  return map_pair("maximum", a, b, [](auto x, auto y) { return x > y || x != x ? x : y; });
}
Array minimum(const Array& a, const Array& b) {
  return map_pair("minimum", a, b, [](auto x, auto y) { return x < y || x != x ? x : y; });
}
Array equal(const Array& a, const Array& b) {
  return map_pair("equal", a, b, [](auto x, auto y) { return x == y; });
}
Array greater(const Array& a, const Array& b) {
  return map_pair("greater", a, b, [](auto x, auto y) { return x > y; });
}
Array greater_equal(const Array& a, const Array& b) {
  return map_pair("greater_equal", a, b, [](auto x, auto y) { return x >= y; });
}

Array add(const Array& x, double c) {
  return map_with_number("add", x, c, [c](auto v) { return wrapping::add(v, static_cast<decltype(v)>(c)); });
}
Array multiply(const Array& x, double c) {
  return map_with_number("multiply", x, c, [c](auto v) { return wrapping::multiply(v, static_cast<decltype(v)>(c)); });
}
Array power(const Array& x, double c) {
  if (c == 1) return map_number("power", x, [](auto v) { return v; });
  if (c == 2) return square(x);
  if (c == 3) return map_number("power", x, [](auto v) { return wrapping::multiply(wrapping::multiply(v, v), v); });
  if (c == -1 && x.defined() && is_floating(x.dtype())) return reciprocal(x);
  const DType dtype = detail::dtype_with_number("power", x, c);
  if (is_floating(dtype)) {
    return map_with_number("power", x, c, [c](auto v) {
      if constexpr (std::is_floating_point_v<decltype(v)>) return std::pow(v, static_cast<decltype(v)>(c));
      return v;
    });
  }
  UndefinedPower undefined;
  Array y =
      map_with_number("power", x, c, [&, c](auto v) { return power_of(v, static_cast<decltype(v)>(c), undefined); });
  undefined.check(dtype);
  return y;
}
Array equal(const Array& x, double c) {
  return map_with_number("equal", x, c, [c](auto v) { return v == static_cast<decltype(v)>(c); });
}
Array greater(const Array& x, double c) {
  return map_with_number("greater", x, c, [c](auto v) { return v > static_cast<decltype(v)>(c); });
}
Array greater_equal(const Array& x, double c) {
  return map_with_number("greater_equal", x, c, [c](auto v) { return v >= static_cast<decltype(v)>(c); });
}
Array less(const Array& x, double c) {
  return map_with_number("less", x, c, [c](auto v) { return v < static_cast<decltype(v)>(c); });
}
Array less_equal(const Array& x, double c) {
  return map_with_number("less_equal", x, c, [c](auto v) { return v <= static_cast<decltype(v)>(c); });
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
  return detail::apply<Accepts::floats>(
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
void add_into(Array& y, const Array& x_given) {
  const detail::Names names{"add_into", {"y", "x", ""}};
  const std::array<const Array*, 2> both{&y, &x_given};
  const DType dtype = detail::common_dtype(names, Accepts::all, both);
  if (dtype != y.dtype() || x_given.dtype() != y.dtype()) {
    fail("add_into", "dtypes differ", fmt::format("y is {}, x is {}", name(y.dtype()), name(x_given.dtype())),
         "convert one with to()");
  }
  require_same_shape("add_into", y, x_given);
  require_writable("add_into", "y", y);
  const profile::KernelScope profiled("add_into", dtype, [&] {
    return profile::Work{static_cast<double>(y.size()), profile::bytes(y, y, x_given)};
  });
  const Array x = apart_from(x_given, y);
  detail::run<Accepts::all>(
      "add_into", dtype, [](auto u, auto v) { return wrapping::add(u, v); }, y, y, x);
}

void scale_into(Array& y, double c) {
  require_writable("scale_into", "y", y);
  const DType dtype = detail::dtype_with_number("scale_into", y, c);
  if (dtype != y.dtype()) {
    fail("scale_into", fmt::format("{} is not a number of {}", c, name(y.dtype())),
         fmt::format("y is {}", name(y.dtype())), "convert y with to()");
  }
  const profile::KernelScope profiled("scale_into", dtype, [&] { return profile::moves(y, y); });
  detail::run<Accepts::all>(
      "scale_into", dtype, [c](auto v) { return wrapping::multiply(v, static_cast<decltype(v)>(c)); }, y, y);
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
  capture::refuse("all_finite", "gives the host a number");
  if (!is_floating(x.dtype()) || x.size() == 0) return true;
  const profile::KernelScope profiled("all_finite", x.dtype(), [&] { return profile::moves(x); });
  const Array dense = x.is_contiguous() || x.is_channels_last() ? x : x.contiguous();
  if (x.dtype() == DType::f32) return all_finite_bits<std::uint32_t>(dense, 0x7F800000U);
  if (x.dtype() == DType::bf16) return all_finite_bits<std::uint16_t>(dense, 0x7F80U);
  if (x.dtype() == DType::f16) return all_finite_bits<std::uint16_t>(dense, 0x7C00U);
  return all_finite_bits<std::uint64_t>(dense, 0x7FF0000000000000U);
}

}  // namespace tandem::kernels
