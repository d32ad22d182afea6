// A number as another type, defined for every value: what PyTorch gives on x86, without the undefined behaviour of
// C++'s own conversion. Not here: conversion of Arrays (Array::to).
//
//   float to i64   cut towards 0; NaN and what does not fit is -2^63
//   float to u8    the i64, modulo 256: -1 is 255, 300 is 44
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include <tandem/core/dtype.h>

namespace tandem {

template <class Y, class X>
constexpr Y convert_number(X x) {
  if constexpr (std::is_same_v<X, Y>) {
    return x;
  } else if constexpr (std::is_same_v<X, bfloat16>) {
    return convert_number<Y>(static_cast<float>(x));
  } else if constexpr (std::is_same_v<Y, bfloat16>) {
    return bfloat16(static_cast<float>(x));
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
