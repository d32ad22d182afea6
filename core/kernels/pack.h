// Packs: 8 or 16 floats as one value, and the elements of memory that become one: f32, bf16 or f16, converted in
// registers. + - * go lane by lane; a float beside a Pack stands for all its lanes.
//
//   with_packs([&](auto lanes) { loop<lanes()>(...); });   16 lanes where the processor has AVX-512, else 8
//
// What runs inside must be TANDEM_INLINE, or it is not compiled for the wide instruction sets; it compares by choose_
// alone. Conversions are those of narrow_float.h, lane by lane. Memory is touched at any address. Private to
// core/kernels. Not here: whole rows of other dtypes (elementwise/load_store.h). Read next:
// normalise/batch_norm_rows.cpp.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <tandem/core/dispatch.h>
#include <tandem/core/dtype.h>

// To the end of the file that includes this: how a function without AVX hands over such a value does not matter where
// every function that does is inlined.
#pragma GCC diagnostic ignored "-Wpsabi"

// Without optimisation nothing is inlined that handles packs, so there is one target then.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__) && defined(__OPTIMIZE__)
#define TANDEM_TARGETS_OF_EIGHT __attribute__((target_clones("default", "arch=x86-64-v3")))
#define TANDEM_HAS_SIXTEEN
#else
#define TANDEM_TARGETS_OF_EIGHT
#endif

// Targets that a function names, for loops that are kept once for each width (convolution/winograd_loops.cpp): unlike a
// clone, each knows how wide its vectors are.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define TANDEM_HAS_TARGETS 1
#define TANDEM_TARGET_AVX2 __attribute__((target("arch=x86-64-v3")))
#define TANDEM_TARGET_AVX512 __attribute__((target("arch=x86-64-v4")))
#else
#define TANDEM_HAS_TARGETS 0
#endif

namespace tandem::kernels {

namespace detail {
template <int kLanes>
struct PackTypes {
  typedef float Floats __attribute__((vector_size(4 * kLanes)));
  typedef std::uint32_t Words __attribute__((vector_size(4 * kLanes)));
  typedef std::int32_t Integers __attribute__((vector_size(4 * kLanes)));
  typedef std::uint16_t Halves __attribute__((vector_size(2 * kLanes)));
  typedef std::uint8_t Bytes __attribute__((vector_size(kLanes)));
};

template <class V>
TANDEM_INLINE V read(const void* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class V>
TANDEM_INLINE void write(void* p, const V& v) {
  std::memcpy(p, &v, sizeof v);
}
}  // namespace detail

template <int kLanes>
using Pack = typename detail::PackTypes<kLanes>::Floats;
template <int kLanes>
using PackOfWords = typename detail::PackTypes<kLanes>::Words;

// gcc fixes what a comparison makes, a mask register or a vector of integers, where the comparison is written: with
// sixteen lanes and not within a function for AVX-512 it comes out one lane at a time. So these are such functions;
// values go through memory, because how they would be handed over depends on the instruction set.
#if defined(TANDEM_HAS_SIXTEEN)
namespace detail {
using SixteenLanes = PackTypes<16>;
#define TANDEM_CHOOSE_SIXTEEN(name, Values, condition)                                             \
  __attribute__((target("arch=x86-64-v4"))) inline void name(                                      \
      const SixteenLanes::Values& a, const SixteenLanes::Values& b, const SixteenLanes::Values& u, \
      const SixteenLanes::Values& v, SixteenLanes::Values& result) {                               \
    result = condition ? u : v;                                                                    \
  }
TANDEM_CHOOSE_SIXTEEN(sixteen_less, Floats, a < b)
TANDEM_CHOOSE_SIXTEEN(sixteen_less_equal, Floats, a <= b)
TANDEM_CHOOSE_SIXTEEN(sixteen_equal, Floats, a == b)
TANDEM_CHOOSE_SIXTEEN(sixteen_greater, Words, a > b)
#undef TANDEM_CHOOSE_SIXTEEN
}  // namespace detail
#define TANDEM_CHOOSE(name, Result, condition) \
  if constexpr (kLanes == 16) {                \
    Result result;                             \
    detail::name(a, b, u, v, result);          \
    return result;                             \
  } else {                                     \
    return condition ? u : v;                  \
  }
#else
#define TANDEM_CHOOSE(name, Result, condition) return condition ? u : v;
#endif

/// u where a < b, a <= b, a == b, a > b, else v, lane by lane.
template <int kLanes>
TANDEM_INLINE Pack<kLanes> choose_less(const Pack<kLanes>& a, const Pack<kLanes>& b, const Pack<kLanes>& u,
                                       const Pack<kLanes>& v) {
  TANDEM_CHOOSE(sixteen_less, Pack<kLanes>, a < b)
}
template <int kLanes>
TANDEM_INLINE Pack<kLanes> choose_less_equal(const Pack<kLanes>& a, const Pack<kLanes>& b, const Pack<kLanes>& u,
                                             const Pack<kLanes>& v) {
  TANDEM_CHOOSE(sixteen_less_equal, Pack<kLanes>, a <= b)
}
template <int kLanes>
TANDEM_INLINE Pack<kLanes> choose_equal(const Pack<kLanes>& a, const Pack<kLanes>& b, const Pack<kLanes>& u,
                                        const Pack<kLanes>& v) {
  TANDEM_CHOOSE(sixteen_equal, Pack<kLanes>, a == b)
}
template <int kLanes>
TANDEM_INLINE PackOfWords<kLanes> choose_greater(const PackOfWords<kLanes>& a, const PackOfWords<kLanes>& b,
                                                 const PackOfWords<kLanes>& u, const PackOfWords<kLanes>& v) {
  TANDEM_CHOOSE(sixteen_greater, PackOfWords<kLanes>, a > b)
}
#undef TANDEM_CHOOSE

/// The pack that begins at p.
template <int kLanes>
TANDEM_INLINE Pack<kLanes> load(const float* p) {
  return detail::read<Pack<kLanes>>(p);
}
template <int kLanes>
TANDEM_INLINE Pack<kLanes> load(const bfloat16* p) {
  using Types = detail::PackTypes<kLanes>;
  const auto halves = detail::read<typename Types::Halves>(p);
  return std::bit_cast<Pack<kLanes>>(__builtin_convertvector(halves, typename Types::Words) << 16);
}
template <int kLanes>
TANDEM_INLINE Pack<kLanes> load(const float16* p) {
  using Words = PackOfWords<kLanes>;
  const Words bits = __builtin_convertvector(detail::read<typename detail::PackTypes<kLanes>::Halves>(p), Words);
  const Words sign = (bits & 0x8000U) << 16, magnitude = bits & 0x7fffU;
  const Pack<kLanes> scaled = std::bit_cast<Pack<kLanes>>(magnitude << 13) * 0x1p112F;
  const Words special = choose_greater<kLanes>(magnitude, Words{} + 0x7bffU, Words{} + 0x7f800000U, Words{});
  return std::bit_cast<Pack<kLanes>>(sign | special | std::bit_cast<Words>(scaled));
}

/// The pack written to p on, rounded to nearest even.
template <int kLanes>
TANDEM_INLINE void store(float* p, const Pack<kLanes>& v) {
  detail::write(p, v);
}
template <int kLanes>
TANDEM_INLINE void store(bfloat16* p, const Pack<kLanes>& v) {
  using Words = PackOfWords<kLanes>;
  const auto u = std::bit_cast<Words>(v);
  const Words rounded = (u + 0x7fffU + ((u >> 16) & 1U)) >> 16;
  const Words result = choose_greater<kLanes>(u & 0x7fffffffU, Words{} + 0x7f800000U, (u >> 16) | 0x40U, rounded);
  detail::write(p, __builtin_convertvector(result, typename detail::PackTypes<kLanes>::Halves));
}
template <int kLanes>
TANDEM_INLINE void store(float16* p, const Pack<kLanes>& v) {
  using Words = PackOfWords<kLanes>;
  const auto u = std::bit_cast<Words>(v);
  const Words sign = (u >> 16) & 0x8000U, magnitude = u & 0x7fffffffU;
  const Words normal = (magnitude - (112U << 23) + 0xfffU + ((magnitude >> 13) & 1U)) >> 13;
  const Words denormal =
      std::bit_cast<Words>(std::bit_cast<Pack<kLanes>>(magnitude) + 0.5F) - std::bit_cast<std::uint32_t>(0.5F);
  const Words special = choose_greater<kLanes>(magnitude, Words{} + 0x7f800000U, 0x7e00U | ((magnitude >> 13) & 0x3ffU),
                                               Words{} + 0x7c00U);
  const Words finite = choose_greater<kLanes>(Words{} + (113U << 23), magnitude, denormal, normal);
  const Words result = sign | choose_greater<kLanes>(magnitude, Words{} + ((143U << 23) - 1U), special, finite);
  detail::write(p, __builtin_convertvector(result, typename detail::PackTypes<kLanes>::Halves));
}

/// Bytes as floats, and back. By way of 16 bits: gcc 12 converts from 8 to 32 and back one number at a time.
template <int kLanes>
TANDEM_INLINE Pack<kLanes> load_bytes(const std::uint8_t* p) {
  using Types = detail::PackTypes<kLanes>;
  const auto halves = __builtin_convertvector(detail::read<typename Types::Bytes>(p), typename Types::Halves);
  return __builtin_convertvector(__builtin_convertvector(halves, typename Types::Integers), typename Types::Floats);
}
template <int kLanes>
TANDEM_INLINE void store_bytes(std::uint8_t* p, const Pack<kLanes>& v) {
  using Types = detail::PackTypes<kLanes>;
  const auto integers = __builtin_convertvector(v, typename Types::Integers);
  const auto halves = __builtin_convertvector(integers, typename Types::Halves);
  detail::write(p, __builtin_convertvector(halves, typename Types::Bytes));
}

/// c in all lanes. A sum, because gcc would put together anything simpler one lane at a time; so -0 becomes 0.
template <int kLanes>
TANDEM_INLINE Pack<kLanes> splat(float c) {
  return Pack<kLanes>{} + c;
}

/// to[j] += v[j] for the lanes from `first` on.
template <int kLanes>
TANDEM_INLINE void add_lanes(double* to, const Pack<kLanes>& v, std::int64_t first = 0) {
  float lanes[kLanes];
  detail::write(lanes, v);
  for (std::int64_t j = first; j < kLanes; ++j) to[j] += static_cast<double>(lanes[j]);
}

/// f(first, lanes) for packs that cover n numbers, n >= lanes: the last begins at n - lanes where they do not divide n,
/// so that numbers are computed twice, with the same result.
template <int kLanes, class F>
TANDEM_INLINE void each_pack(std::int64_t n, F&& f) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i);
  if (i < n) f(n - kLanes);
}

/// Calls f(E{}) with the element type that `dtype` names: float, bfloat16 or float16.
template <class F>
void visit_narrow(DType dtype, F&& f) {
  if (dtype == DType::bf16) return f(bfloat16{});
  if (dtype == DType::f16) return f(float16{});
  f(float{});
}

namespace detail {

template <class F>
TANDEM_TARGETS_OF_EIGHT __attribute__((flatten)) void run_eight(F f) {
  f(std::integral_constant<int, 8>{});
}

#if defined(TANDEM_HAS_SIXTEEN)
template <class F>
__attribute__((target("arch=x86-64-v4"), flatten)) void run_sixteen(F f) {
  f(std::integral_constant<int, 16>{});
}

inline bool has_sixteen() {
  static const bool yes = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl");
  return yes;
}
#endif

}  // namespace detail

/// f(lanes), lanes() the width of packs; f is a TANDEM_INLINE lambda.
template <class F>
void with_packs(F f) {
#if defined(TANDEM_HAS_SIXTEEN)
  if (detail::has_sixteen()) return detail::run_sixteen(f);
#endif
  detail::run_eight(f);
}

}  // namespace tandem::kernels
