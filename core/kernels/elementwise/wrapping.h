// Arithmetic of integers that wraps modulo 2^n, as PyTorch's does and as hardware does, where C++'s own is undefined
// beyond the range; floats are left as they are. Private to core/kernels.
#pragma once

#include <type_traits>

#include <tandem/core/dispatch.h>

namespace tandem::kernels::wrapping {

namespace detail {
template <class T>
inline constexpr bool is_counted = std::is_integral_v<T> && !std::is_same_v<T, bool>;

/// Unsigned, and not so narrow that it would be promoted to int.
template <class T>
struct Unsigned
    : std::conditional_t<(sizeof(T) < sizeof(unsigned)), std::type_identity<unsigned>, std::make_unsigned<T>> {};
template <class T>
using UnsignedOf = typename Unsigned<T>::type;
}  // namespace detail

template <class T>
TANDEM_INLINE T add(T a, T b) {
  if constexpr (detail::is_counted<T>) {
    using U = detail::UnsignedOf<T>;
    return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  } else {
    return static_cast<T>(a + b);
  }
}

template <class T>
TANDEM_INLINE T subtract(T a, T b) {
  if constexpr (detail::is_counted<T>) {
    using U = detail::UnsignedOf<T>;
    return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
  } else {
    return static_cast<T>(a - b);
  }
}

template <class T>
TANDEM_INLINE T multiply(T a, T b) {
  if constexpr (detail::is_counted<T>) {
    using U = detail::UnsignedOf<T>;
    return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
  } else {
    return static_cast<T>(a * b);
  }
}

template <class T>
TANDEM_INLINE T negate(T a) {
  if constexpr (detail::is_counted<T>) {
    return subtract(T(0), a);
  } else {
    return static_cast<T>(-a);
  }
}

}  // namespace tandem::kernels::wrapping
