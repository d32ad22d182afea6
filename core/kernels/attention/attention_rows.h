// Inner pieces of attention: its checks, its masks by row, and the f32 loops over rows of scores.
// Private to attention.cpp and attention_masks.cpp.
#pragma once

#include <cstdint>

#include <tandem/core/kernels/attention/attention.h>

namespace tandem::kernels::detail {

/// Throws Error when shapes, dtypes, masks or numbers do not fit.
void check_attention(const Array& q, const Array& k, const Array& v, const AttentionOptions& options);
/// [B, S]: -inf for hidden keys, else 0; undefined without hidden_keys.
Array hidden_bias(const AttentionOptions& options, DType dtype);
/// The mask expanded to `scores` [B, h, T, S], its last stride 1; undefined without mask.
Array expanded_mask(const AttentionOptions& options, const Shape& scores, DType dtype);
/// Dropout's factors for one query of one head, into a row [S] of f32.
void draw_keep(const AttentionOptions& options, std::int64_t head, std::int64_t query, Array& row);

/// What is added to a row of scores: nothing where null; keys from `seen` on are hidden.
struct RowMask {
  const float *mask = nullptr, *hidden = nullptr;
  std::int64_t seen = 0;
};

/// s[0..n) = softmax(scale s + masks), zeros when all is hidden. `row` receives what AttentionForward::rows keeps.
void softmax_row(float* s, std::int64_t n, float scale, const RowMask& mask, float* row);
/// s[0..n) = the same again, from `row`: e^((scale s + masks - row[0]) - row[1]).
void probability_row(float* s, std::int64_t n, float scale, const RowMask& mask, const float* row);
/// ds = scale p (dp - along) into dp.
void score_grad_row(const float* p, float* dp, std::int64_t n, float scale, float along);
/// x *= factor.
void scale_row(float* x, const float* factor, std::int64_t n);
float dot_row(const float* a, const float* b, std::int64_t n);

}  // namespace tandem::kernels::detail
