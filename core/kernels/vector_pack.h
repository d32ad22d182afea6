// Pack<Lanes>: eight or sixteen floats as one value, for loops that are compiled once for each width; + - * < ?: go
// element by element, a float beside a Pack stands for all its elements.
// A loop is a template on Lanes whose functions are all TANDEM_INLINE, called from functions that name their target
// (TANDEM_TARGET_AVX2, TANDEM_TARGET_AVX512): unlike a clone of TANDEM_TARGETS, each knows how wide its vectors are.
// Memory is touched through load and store alone, at any address. Eight lanes for all targets: vector_eight.h.
// Private to core/kernels.
#pragma once

#include <cstdint>

#include <tandem/core/dispatch.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define TANDEM_HAS_TARGETS 1
#define TANDEM_TARGET_AVX2 __attribute__((target("arch=x86-64-v3")))
#define TANDEM_TARGET_AVX512 __attribute__((target("arch=x86-64-v4")))
#else
#define TANDEM_HAS_TARGETS 0
#endif

namespace tandem::kernels {

namespace detail {

template <int Lanes>
struct PackOf;
template <>
struct PackOf<8> {
  using Type = float __attribute__((vector_size(32)));
};
template <>
struct PackOf<16> {
  using Type = float __attribute__((vector_size(64)));
};

}  // namespace detail

template <int Lanes>
using Pack = typename detail::PackOf<Lanes>::Type;

namespace detail {

template <int Lanes>
struct __attribute__((packed, may_alias)) PackAnywhere {
  Pack<Lanes> value;
};

}  // namespace detail

// To the end of the file that includes this: how a function without AVX hands over such a value does not matter where
// every function that does is inlined.
#pragma GCC diagnostic ignored "-Wpsabi"

template <int Lanes>
TANDEM_INLINE Pack<Lanes> load_pack(const float* p) {
  return reinterpret_cast<const detail::PackAnywhere<Lanes>*>(p)->value;
}

template <int Lanes>
TANDEM_INLINE void store_pack(float* p, const Pack<Lanes>& value) {
  reinterpret_cast<detail::PackAnywhere<Lanes>*>(p)->value = value;
}

}  // namespace tandem::kernels
