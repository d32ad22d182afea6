// Masks of attention as one dense Array, dropout's factors, and the checks of all inputs. See attention.h.
#include <tandem/core/kernels/attention/attention.h>
#include <tandem/core/kernels/attention/attention_rows.h>

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/saturate.h>

namespace tandem::kernels {

namespace detail {

void check_attention(const Array& q, const Array& k, const Array& v, const AttentionOptions& options) {
  constexpr const char* kWhere = "scaled_dot_product_attention";
  require_defined(kWhere, "q", q);
  require_defined(kWhere, "k", k);
  require_defined(kWhere, "v", v);
  const std::string facts =
      fmt::format("q {}, k {}, v {}", to_string(q.shape()), to_string(k.shape()), to_string(v.shape()));
  const bool ranks = q.rank() == 4 && k.rank() == 4 && v.rank() == 4;
  bool fits = ranks && q.shape(3) == k.shape(3) && k.shape(2) == v.shape(2);
  for (int dim = 0; fits && dim < 2; ++dim) fits = q.shape(dim) == k.shape(dim) && q.shape(dim) == v.shape(dim);
  if (!fits) fail(kWhere, "q must be [B, h, T, d], k [B, h, S, d], v [B, h, S, e]", facts);
  if (q.size() == 0 || v.size() == 0) fail(kWhere, "there must be at least one query, key and channel", facts);
  if (!is_floating(q.dtype())) fail(kWhere, fmt::format("q is {}, must be floating", name(q.dtype())), facts);
  require_dtype(kWhere, "k", k, q.dtype());
  require_dtype(kWhere, "v", v, q.dtype());
  if (options.first_query < 0)
    fail(kWhere, fmt::format("first_query is {}, must be at least 0", options.first_query), facts);
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail(kWhere, fmt::format("dropout is {}, must be in [0, 1)", options.dropout), facts);
  const Shape scores{q.shape(0), q.shape(1), q.shape(2), k.shape(2)};
  if (options.mask.defined()) {
    const Shape& mask = options.mask.shape();
    const std::string mask_facts = fmt::format("mask {} {}, {}", name(options.mask.dtype()), to_string(mask), facts);
    if (!is_floating(options.mask.dtype())) {
      fail(kWhere, "the mask must be floating, because it is added to the scores", mask_facts,
           "make it with where(hidden, -inf, 0), or give hidden_keys");
    }
    bool broadcasts = mask.rank() <= 4;
    for (int dim = 1; broadcasts && dim <= mask.rank(); ++dim)
      broadcasts = mask[-dim] == 1 || mask[-dim] == scores[-dim];
    if (!broadcasts) fail(kWhere, fmt::format("the mask must broadcast to {}", to_string(scores)), mask_facts);
  }
  if (options.hidden_keys.defined() && !(options.hidden_keys.shape() == Shape{scores[0], scores[3]}))
    fail(kWhere, fmt::format("hidden_keys must be [{}, {}]", scores[0], scores[3]),
         fmt::format("hidden_keys {}, {}", to_string(options.hidden_keys.shape()), facts));
}

Array hidden_bias(const AttentionOptions& options, DType dtype) {
  if (!options.hidden_keys.defined()) return {};
  const Array hidden = options.hidden_keys.contiguous();
  return where(hidden, Array::scalar(-std::numeric_limits<double>::infinity(), dtype), Array::scalar(0, dtype));
}

Array expanded_mask(const AttentionOptions& options, const Shape& scores, DType dtype) {
  if (!options.mask.defined()) return {};
  Array mask = options.mask.to(dtype);
  while (mask.rank() < 4) mask = mask.unsqueeze(0);
  if (mask.shape(3) != scores[3]) mask = mask.expand({mask.shape(0), mask.shape(1), mask.shape(2), scores[3]});
  if (scores[3] > 1 && mask.stride(3) != 1) mask = mask.contiguous();
  return mask.expand(scores);
}

void draw_keep(const AttentionOptions& options, std::int64_t head, std::int64_t query, Array& row) {
  Generator generator = options.generator.split(static_cast<std::uint64_t>(head), static_cast<std::uint64_t>(query));
  generator.fill_dropout_mask(row, options.dropout);
}

}  // namespace detail

double attention_scale(const Array& q, const AttentionOptions& options) {
  return options.scale != 0 ? options.scale : 1 / std::sqrt(static_cast<double>(q.shape(3)));
}

Array attention_bias(const Array& q, const Array& k, const AttentionOptions& options) {
  const DType dtype = q.dtype();
  const Shape scores{q.shape(0), q.shape(1), q.shape(2), k.shape(2)};
  Array bias = Array::zeros(scores, dtype);
  if (const Array mask = detail::expanded_mask(options, scores, dtype); mask.defined()) add_into(bias, mask);
  if (const Array hidden = detail::hidden_bias(options, dtype); hidden.defined())
    add_into(bias, hidden.unsqueeze(1).unsqueeze(1).expand(scores));
  for (std::int64_t i = 0; options.causal && i < scores[2]; ++i) {
    const std::int64_t seen = saturating_add(options.first_query, i + 1);
    if (seen < scores[3])
      bias.slice(2, i, i + 1).slice(3, seen, scores[3]).fill(-std::numeric_limits<double>::infinity());
  }
  return bias;
}

Array attention_keep(const Array& q, const Array& k, const AttentionOptions& options) {
  if (options.dropout == 0) return {};
  const std::int64_t heads = q.shape(0) * q.shape(1), T = q.shape(2), S = k.shape(2);
  Array keep = Array::empty({heads, T, S}, DType::f32);
  for (std::int64_t head = 0; head < heads; ++head) {
    for (std::int64_t i = 0; i < T; ++i) {
      Array row = keep.select(0, head).select(0, i);
      detail::draw_keep(options, head, i, row);
    }
  }
  return keep.to(q.dtype()).reshape({q.shape(0), q.shape(1), T, S});
}

}  // namespace tandem::kernels
