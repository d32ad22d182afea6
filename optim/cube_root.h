// The cube root of a formula (madgrad.h), for x >= 0: `using detail::cbrt;`, then cbrt(v). std::cbrt is a call for each
// number, which compilers do not turn into vectors; this is, without a division, and a tenth of the time (f32, AVX2;
// f64 a quarter). It is good to one unit in the last place.
//
// z guesses x^(-1/3): minus a third of a number's bits is minus a third of its exponent. With h = 1 - x z^3
//   x^(-1/3) = z (1 - h)^(-1/3),   x^(1/3) = x z^2 (1 - h)^(-2/3)             as the first terms of their series
// 0, infinity and NaN are returned. Masks, because what lies behind a condition is not made into vectors.
#pragma once

#include <bit>
#include <cstdint>

namespace tandem::detail {

template <class Bits, class T>
inline T cube_root(T x, Bits guess, T tiny, T up, T down) {
  const auto bits_of = [](T number) { return std::bit_cast<Bits>(number); };
  const Bits is_tiny = Bits(0) - static_cast<Bits>(bits_of(x) < bits_of(tiny));  // all ones or none
  const auto one_or = [&](T other) { return std::bit_cast<T>((bits_of(1) & ~is_tiny) | (bits_of(other) & is_tiny)); };
  const T scaled = x * one_or(up);  // the least numbers, and 0, have no exponent to divide
  Bits third = bits_of(scaled);
  third = (third >> 2) + (third >> 4);  // 1/3 = 1/4 + 1/16 + 1/64 + ...: vectors of 64 bits cannot be divided
  third += third >> 4;
  third += third >> 8;
  const auto better = [scaled](T z) {
    const T h = 1 - scaled * z * z * z;
    return z + z * h * (T(1) / 3 + h * (T(2) / 9 + h * (T(14) / 81)));
  };
  T z = better(std::bit_cast<T>(static_cast<Bits>(guess - third)));
  if constexpr (sizeof(T) == 8) z = better(z);
  const T y = scaled * z * z, h = 1 - y * z;
  return (y + y * h * (T(2) / 3 + h * (T(5) / 9))) * one_or(down);
}

inline float cbrt(float x) { return cube_root<std::uint32_t>(x, 0x54a21d2aU, 0x1p-100F, 0x1p72F, 0x1p-24F); }
inline double cbrt(double x) { return cube_root<std::uint64_t>(x, 0x553eee4feaaaac00U, 0x1p-960, 0x1p600, 0x1p-200); }

}  // namespace tandem::detail
