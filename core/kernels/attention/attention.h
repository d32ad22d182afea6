// Scaled dot-product attention (Vaswani et al. 2017, eq. 1), in blocks of queries: the scores of a block exist, never
// those of all queries at once; backward computes them again (Dao et al. 2022, "FlashAttention").
//   s_ij = scale q_i . k_j + masks      p_i = softmax(s_i)      y_i = sum_j p_ij v_j
// In blocks of f32, bf16 and f16 converted on their way; f64 through reference/attention.h. Not here: projections and
// heads (nn/multihead_attention.h).
#pragma once

#include <cstdint>

#include <tandem/core/array.h>
#include <tandem/core/generator.h>

namespace tandem {

/// Which keys a query sees. A query that sees none gives zeros and gets no gradient.
struct AttentionOptions {
  bool causal = false;           ///< query i sees keys 0 .. first_query + i
  std::int64_t first_query = 0;  ///< where the first query stands among the keys, when earlier keys are cached
  Array mask = Array();          ///< added to the scores; broadcasts to [B, h, T, S]; -inf hides; constant
  Array hidden_keys = Array();   ///< [B, S], not 0: this key is padding, hidden from all queries
  double scale = 0;              ///< 0: 1 / sqrt(d)
  double dropout = 0;            ///< of the probabilities p, drawn from `generator` by (head, query)
  Generator generator = Generator();
};

}  // namespace tandem

namespace tandem::kernels {

struct AttentionForward {
  Array y;  ///< [B, h, T, e]; in memory [B, T, h, e], so that joining the heads copies nothing
  /// [B, h, T, 2], f32 for q of bf16 or f16: m_i = max_j s_ij and log sum_j e^(s_ij - m_i); +inf and 0 where all keys
  /// are hidden. Apart, because beside an m_i of -1e9, which a finite mask makes, the second would be rounded away.
  Array rows;
};
/// q [B, h, T, d], k [B, h, S, d], v [B, h, S, e]. Throws Error with the shapes when they or the masks do not fit.
AttentionForward attention(const Array& q, const Array& k, const Array& v, const AttentionOptions& options);

/// The gradients, written into dq, dk, dv, which have the shapes of q, k, v and the last stride 1.
///   dv = p^T dy, ds = p (dy v^T - sum(dy y)), dq = scale ds k, dk = scale ds^T q
void attention_grad(const Array& dy, const Array& q, const Array& k, const Array& v, const AttentionForward& forward,
                    const AttentionOptions& options, Array& dq, Array& dk, Array& dv);

/// All masks as one Array [B, h, T, S] to add to the scores: what the naive twin and second derivatives use.
Array attention_bias(const Array& q, const Array& k, const AttentionOptions& options);
/// The factors of dropout, [B, h, T, S]: 0 or 1 / (1 - p); undefined without dropout.
Array attention_keep(const Array& q, const Array& k, const AttentionOptions& options);
/// options.scale, or 1 / sqrt(d) where that is 0.
double attention_scale(const Array& q, const AttentionOptions& options);

}  // namespace tandem::kernels
