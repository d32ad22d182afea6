// Attention by its definition, one query at a time, with all masks in one bias: the naive twin of attention.cpp. f64
// runs through it. Row-major q, dq [heads, T, d], k, dk [heads, S, d], v, dv [heads, S, e], bias and keep [heads, T,
// S].
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

namespace tandem::kernels::reference {

struct AttentionSizes {
  std::int64_t heads, T, S, d, e;
};

/// p_j = softmax of scale q . k_j + bias_j, zeros when all are -inf. Returns m = max s_j and log sum_j e^(s_j - m),
/// +inf and 0 then.
template <class T>
std::pair<T, T> attention_row(const T* q, const T* k, const T* bias, T scale, std::int64_t S, std::int64_t d, T* p) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  T largest = -kInfinity, total = 0;
  for (std::int64_t j = 0; j < S; ++j) {
    p[j] = 0;
    for (std::int64_t c = 0; c < d; ++c) p[j] += q[c] * k[j * d + c];
    p[j] = scale * p[j] + bias[j];
    largest = p[j] > largest || p[j] != p[j] ? p[j] : largest;  // NaN wins
  }
  if (largest == -kInfinity) {
    std::fill_n(p, S, T(0));
    return {kInfinity, T(0)};
  }
  for (std::int64_t j = 0; j < S; ++j) total += p[j] = std::exp(p[j] - largest);
  for (std::int64_t j = 0; j < S; ++j) p[j] /= total;
  return {largest, std::log(total)};
}

/// keep may be null.
template <class T>
void attention(const AttentionSizes& s, const T* q, const T* k, const T* v, const T* bias, const T* keep, T scale, T* y,
               T* rows) {
  std::vector<T> p(static_cast<std::size_t>(s.S));
  for (std::int64_t row = 0; row < s.heads * s.T; ++row) {
    const std::int64_t head = row / s.T;
    std::tie(rows[2 * row], rows[2 * row + 1]) =
        attention_row(q + row * s.d, k + head * s.S * s.d, bias + row * s.S, scale, s.S, s.d, p.data());
    T* out = y + row * s.e;
    std::fill_n(out, s.e, T(0));
    for (std::int64_t j = 0; j < s.S; ++j) {
      const T weight = p[static_cast<std::size_t>(j)] * (keep == nullptr ? T(1) : keep[row * s.S + j]);
      for (std::int64_t c = 0; c < s.e; ++c) out[c] += weight * v[(head * s.S + j) * s.e + c];
    }
  }
}

/// dq, dk and dv are added to.
template <class T>
void attention_grad(const AttentionSizes& s, const T* dy, const T* q, const T* k, const T* v, const T* bias,
                    const T* keep, T scale, T* dq, T* dk, T* dv) {
  std::vector<T> p(static_cast<std::size_t>(s.S)), dp(p.size());
  for (std::int64_t row = 0; row < s.heads * s.T; ++row) {
    const std::int64_t head = row / s.T;
    const T *keys = k + head * s.S * s.d, *values = v + head * s.S * s.e, *g = dy + row * s.e;
    attention_row(q + row * s.d, keys, bias + row * s.S, scale, s.S, s.d, p.data());
    T along = 0;
    for (std::int64_t j = 0; j < s.S; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const T kept = keep == nullptr ? T(1) : keep[row * s.S + j];
      dp[at] = 0;
      for (std::int64_t c = 0; c < s.e; ++c) {
        dp[at] += kept * g[c] * values[j * s.e + c];
        dv[(head * s.S + j) * s.e + c] += p[at] * kept * g[c];
      }
      along += dp[at] * p[at];
    }
    for (std::int64_t j = 0; j < s.S; ++j) {
      const T ds = scale * p[static_cast<std::size_t>(j)] * (dp[static_cast<std::size_t>(j)] - along);
      for (std::int64_t c = 0; c < s.d; ++c) {
        dq[row * s.d + c] += ds * keys[j * s.d + c];
        dk[(head * s.S + j) * s.d + c] += ds * q[row * s.d + c];
      }
    }
  }
}

}  // namespace tandem::kernels::reference
