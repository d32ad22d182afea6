// A number as another type, defined for every value: what PyTorch gives on x86, without the undefined behaviour of
// C++'s own conversion. Not here: conversion of Arrays (Array::to).
//
//   float to i64                 cut towards 0; NaN and what does not fit is -2^63
//   float to i32, i8, u8         the i64, modulo 2^n: to u8, -1 is 255 and 300 is 44
//   anything to bool             all but 0 is true, NaN too
//   to bf16, f16                 by way of float, rounded to nearest even
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include <tandem/core/dtype.h>

namespace tandem {

namespace detail {
template <class T>
inline constexpr bool is_narrow_float = std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>;
}  // namespace detail

template <class Y, class X>
constexpr Y convert_number(X x) {
  if constexpr (std::is_same_v<X, Y>) {
    return x;
  } else if constexpr (detail::is_narrow_float<X>) {
    return convert_number<Y>(static_cast<float>(x));
  } else if constexpr (detail::is_narrow_float<Y>) {
    return Y(static_cast<float>(x));
  } else if constexpr (std::is_same_v<Y, bool>) {
    return x != X(0);
  } else if constexpr (std::is_floating_point_v<X> && std::is_integral_v<Y>) {
    constexpr auto kLimit = static_cast<X>(0x1p63);
    const std::int64_t whole =
        x >= -kLimit && x < kLimit ? static_cast<std::int64_t>(x) : std::numeric_limits<std::int64_t>::min();
    return static_cast<Y>(whole);
  } else {
    return static_cast<Y>(x);
  }
}

}  // namespace tandem
