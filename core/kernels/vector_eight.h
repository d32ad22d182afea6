// Eight: eight floats as one value, for loops that TANDEM_TARGETS compiles; + - * < ?: go element by element.
// Memory is touched through load and store alone, at any address: a reference to an Eight in an array of floats would
// claim an alignment that is not there.
#pragma once

#include <cstdint>

#include <tandem/core/dispatch.h>

namespace tandem::kernels {

using Eight = float __attribute__((vector_size(32)));
inline constexpr std::int64_t kEight = 8;

namespace detail {
struct __attribute__((packed, may_alias)) EightAnywhere {
  Eight value;
};
}  // namespace detail

// To the end of the file that includes this: how a function without AVX hands over such a value does not matter where
// every function that does is inlined.
#pragma GCC diagnostic ignored "-Wpsabi"

TANDEM_INLINE Eight load(const float* p) { return reinterpret_cast<const detail::EightAnywhere*>(p)->value; }
TANDEM_INLINE void store(float* p, const Eight& value) { reinterpret_cast<detail::EightAnywhere*>(p)->value = value; }

}  // namespace tandem::kernels
