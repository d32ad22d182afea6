// Branch-free f32 functions that gcc and clang turn into vector instructions when a TANDEM_TARGETS loop inlines them,
// and the same names for double, which are those of <cmath>. Correct at infinities, NaN, zeros and denormals.
// Polynomials of exp, log, tanh and erf: S. L. Moshier, Cephes Mathematical Library, single precision (expf.c, logf.c,
// tanhf.c, ndtrf.c). Error bounds in units in the last place: tests/core/elementwise_test.cpp states and sweeps them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <tandem/core/dispatch.h>

namespace tandem::kernels::vector_math {

namespace detail {

/// 2^n for -126 <= n <= 127.
TANDEM_INLINE float power_of_two(std::int32_t n) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(n + 127) << 23);
}

/// e^x = 2^n (1 + p): n the integer nearest to x / ln 2, p = e^r - 1 with |r| <= ln 2 / 2. Needs |x| < 2^21.
struct ExpParts {
  std::int32_t n;
  float p;
};

TANDEM_INLINE ExpParts exp_parts(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const float shifted = x * 1.44269504088896341F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;  // ln 2 in two parts, the first exact in few bits
  float q = 1.9875691500e-4F;
  q = q * r + 1.3981999507e-3F;
  q = q * r + 8.3334519073e-3F;
  q = q * r + 4.1665795894e-2F;
  q = q * r + 1.6666665459e-1F;
  q = q * r + 5.0000001201e-1F;
  return {static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) - 0x4B400000U), q * r * r + r};
}

}  // namespace detail

/// e^x.
TANDEM_INLINE float exp(float x) {
  float t = x < 89.0F ? x : 89.0F;  // e^89 overflows, e^-104 rounds to 0
  t = t > -104.0F ? t : -104.0F;
  const auto [n, p] = detail::exp_parts(t);
  const std::int32_t half = n >> 1;  // 2^n in two steps: n reaches from -150 to 128
  const float y = (1.0F + p) * detail::power_of_two(half) * detail::power_of_two(n - half);
  return x != x ? x : y;
}

/// e^x - 1 without cancellation, for x <= 0.
TANDEM_INLINE float expm1_nonpositive(float x) {
  float t = x < 0.0F ? x : 0.0F;
  t = t > -30.0F ? t : -30.0F;
  const auto [n, p] = detail::exp_parts(t);
  const float scale = detail::power_of_two(n);
  const float y = p * scale + (scale - 1.0F);
  return x != x ? x : y;
}

/// The natural logarithm: -inf at 0, NaN below.
TANDEM_INLINE float log(float x) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const bool is_denormal = x < 1.17549435e-38F;
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(is_denormal ? x * 8388608.0F : x);
  // x = m 2^e with m in [sqrt(1/2), sqrt(2)): the offset makes the exponent field step at sqrt(1/2).
  const std::uint32_t offset = bits - 0x3F3504F3U;
  const std::int32_t exponent = (static_cast<std::int32_t>(offset) >> 23) - (is_denormal ? 23 : 0);
  const float m = std::bit_cast<float>((offset & 0x007FFFFFU) + 0x3F3504F3U) - 1.0F;
  const float e = static_cast<float>(exponent);
  const float z = m * m;
  float q = 7.0376836292e-2F;
  q = q * m - 1.1514610310e-1F;
  q = q * m + 1.1676998740e-1F;
  q = q * m - 1.2420140846e-1F;
  q = q * m + 1.4249322787e-1F;
  q = q * m - 1.6668057665e-1F;
  q = q * m + 2.0000714765e-1F;
  q = q * m - 2.4999993993e-1F;
  q = q * m + 3.3333331174e-1F;
  float y = q * m * z - 2.12194440e-4F * e - 0.5F * z;
  y = (m + y) + 0.693359375F * e;
  y = x == 0.0F ? -kInfinity : y;
  y = x < 0.0F ? std::numeric_limits<float>::quiet_NaN() : y;
  return x < kInfinity ? y : x;  // +inf and NaN stay
}

/// log(1 + e) for e in [0, 1], exact to first order where 1 + e rounds e away.
TANDEM_INLINE float log1p_unit(float e) {
  const float u = 1.0F + e;
  return log(u) - ((u - 1.0F) - e) / u;
}

/// 1 / (1 + e^-x), without overflow on either side.
TANDEM_INLINE float sigmoid(float x) {
  const float e = exp(-std::fabs(x));
  const float r = 1.0F / (1.0F + e);
  return x < 0.0F ? e * r : r;
}

/// The hyperbolic tangent.
TANDEM_INLINE float tanh(float x) {
  const float a = std::fabs(x);
  const float z = x * x;
  float q = -5.70498872745e-3F;
  q = q * z + 2.06390887954e-2F;
  q = q * z - 5.37397155531e-2F;
  q = q * z + 1.33314422036e-1F;
  q = q * z - 3.33332819422e-1F;
  const float near = q * z * x + x;
  const float far = std::copysign(1.0F - 2.0F / (exp(a + a) + 1.0F), x);
  const float y = a < 0.625F ? near : far;
  return x != x ? x : y;
}

/// The error function: x T(x^2) below 1, else 1 - e^(-x^2) / |x| P(1 / x^2) with one P for [1, 2) and one beyond.
TANDEM_INLINE float erf(float x) {
  const float a = std::fabs(x);
  const float z = x * x;
  float t = 7.853861353153693e-5F;
  t = t * z - 8.010193625184903e-4F;
  t = t * z + 5.188327685732524e-3F;
  t = t * z - 2.685381193529856e-2F;
  t = t * z + 1.128358514861418e-1F;
  t = t * z - 3.761262582423300e-1F;
  t = t * z + 1.28379165726710e-1F;                         // T(x^2) - 1, so that the last step is x + x (T - 1)
  const float b = a < 5.0F ? (a > 1.0F ? a : 1.0F) : 5.0F;  // erf(5) rounds to 1
  const float inverse = 1.0F / b;
  const float w = inverse * inverse;
  float p = 2.326819970068386e-2F;
  p = p * w - 1.387039388740657e-1F;
  p = p * w + 3.687424674597105e-1F;
  p = p * w - 5.824733027278666e-1F;
  p = p * w + 6.210004621745983e-1F;
  p = p * w - 4.944515323274145e-1F;
  p = p * w + 3.404879937665872e-1F;
  p = p * w - 2.741127028184656e-1F;
  p = p * w + 5.638259427386472e-1F;
  float r = -1.047766399936249e+1F;
  r = r * w + 1.297719955372516e+1F;
  r = r * w - 7.495518717768503e+0F;
  r = r * w + 2.921019019210786e+0F;
  r = r * w - 1.015265279202700e+0F;
  r = r * w + 4.218463358204948e-1F;
  r = r * w - 2.820767439740514e-1F;
  r = r * w + 5.641895067754075e-1F;
  const float far = 1.0F - exp(-b * b) * inverse * (b < 2.0F ? p : r);
  const float y = a < 1.0F ? x * t + x : std::copysign(far, x);
  return x != x ? x : y;
}

/// The normal distribution at x: Phi(x), and e^(-x^2 / 2).
template <class T>
struct Normal {
  T cdf, exponential;
};

/// Phi(-a) = e^(-a^2 / 2) R(t), t = 1 / (1 + 0.35 a), for a >= 0: R a polynomial of t - 1/2, fitted for the least
/// relative error up to a = 13.3, where Phi(-a) leaves the normal floats (2.6e-8; weighted least squares, Lawson 1961).
TANDEM_INLINE Normal<float> normal(float x) {
  const float s = 1.0F / (0.35F * std::fabs(x) + 1.0F) - 0.5F;
  float r = -2.768194489e-2F;
  r = r * s + 1.177660376e-2F;
  r = r * s + 5.763658136e-2F;
  r = r * s - 3.381850198e-2F;
  r = r * s - 1.098030508e-1F;
  r = r * s + 4.098328948e-2F;
  r = r * s + 3.253313005e-1F;
  r = r * s + 4.851899147e-1F;
  r = r * s + 4.247400761e-1F;
  r = r * s + 1.266221404e-1F;
  const float e = exp(-0.5F * x * x), tail = e * r;
  return {x < 0.0F ? tail : 1.0F - tail, e};
}

inline double exp(double x) { return std::exp(x); }
inline double expm1_nonpositive(double x) { return std::expm1(x > 0 ? 0.0 : x); }
inline double log(double x) { return std::log(x); }
inline double log1p_unit(double e) { return std::log1p(e); }
inline double tanh(double x) { return std::tanh(x); }
inline double erf(double x) { return std::erf(x); }
inline Normal<double> normal(double x) {
  return {0.5 * std::erfc(-0.70710678118654752440 * x), std::exp(-0.5 * x * x)};
}
inline double sigmoid(double x) {
  const double e = std::exp(-std::fabs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

}  // namespace tandem::kernels::vector_math
