// The f32 loops over rows of scores, compiled for several instruction sets. See attention_rows.h.
#include <tandem/core/kernels/attention/attention_rows.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/reduce/reduce_tiles.h>
#include <tandem/core/kernels/vector_math.h>

namespace tandem::kernels::detail {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// scale s + masks for the keys that are seen.
TANDEM_INLINE void add_masks(float* __restrict s, std::int64_t n, float scale, const RowMask& mask) {
  for (std::int64_t j = 0; j < n; ++j) s[j] *= scale;
  if (const float* __restrict m = mask.mask) {
    for (std::int64_t j = 0; j < n; ++j) s[j] += m[j];
  }
  if (const float* __restrict h = mask.hidden) {
    for (std::int64_t j = 0; j < n; ++j) s[j] += h[j];
  }
}

}  // namespace

TANDEM_TARGETS __attribute__((flatten)) void softmax_row(float* s, std::int64_t n, float scale, const RowMask& mask,
                                                         float* row) {
  const std::int64_t seen = std::min(n, mask.seen);
  std::fill(s + seen, s + n, 0.0F);
  add_masks(s, seen, scale, mask);
  const float largest = strip<Max>(s, seen, 1, Max::kIdentity<float>);
  if (largest == -kInfinity) {
    std::fill_n(s, seen, 0.0F);
    row[0] = kInfinity, row[1] = 0;
    return;
  }
  for (std::int64_t j = 0; j < seen; ++j) s[j] = vector_math::exp(s[j] - largest);
  const float total = static_cast<float>(strip<Sum>(s, seen, 1, 0)), inverse = 1.0F / total;
  for (std::int64_t j = 0; j < seen; ++j) s[j] *= inverse;
  row[0] = largest, row[1] = std::log(total);
}

TANDEM_TARGETS __attribute__((flatten)) void probability_row(float* s, std::int64_t n, float scale, const RowMask& mask,
                                                             const float* row) {
  const std::int64_t seen = std::min(n, mask.seen);
  std::fill(s + seen, s + n, 0.0F);
  add_masks(s, seen, scale, mask);
  const float largest = row[0], log_total = row[1];
  for (std::int64_t j = 0; j < seen; ++j) s[j] = vector_math::exp((s[j] - largest) - log_total);
}

TANDEM_TARGETS void score_grad_row(const float* __restrict p, float* __restrict dp, std::int64_t n, float scale,
                                   float along) {
  for (std::int64_t j = 0; j < n; ++j) dp[j] = scale * p[j] * (dp[j] - along);
}

TANDEM_TARGETS void scale_row(float* __restrict x, const float* __restrict factor, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) x[j] *= factor[j];
}

float dot_row(const float* a, const float* b, std::int64_t n) {
  double total = 0;
  for (std::int64_t j = 0; j < n; ++j) total += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  return static_cast<float>(total);
}

}  // namespace tandem::kernels::detail
