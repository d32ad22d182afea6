// The golden cases of autograd/sequence_ops.h: the same names as in make_sequence_golden.py.
#pragma once

#include <tandem/autograd/sequence_ops.h>

#include "autograd/golden_cases.h"
#include "autograd/sequence_op_rows.h"

namespace tandem::golden {

/// The inputs are x, then `states` first states or none, then four weights.
inline Compute long_term(RecurrentOptions options = {}) {
  return [options](const Inputs& in) {
    const auto& x = in.x;
    if (x.size() == 5) return test::joined(lstm(x[0], {}, {}, x[1], x[2], x[3], x[4], options));
    return test::joined(lstm(x[0], x[1], x[2], x[3], x[4], x[5], x[6], options));
  };
}
inline Compute gated(RecurrentOptions options = {}) {
  return [options](const Inputs& in) {
    const auto& x = in.x;
    if (x.size() == 5) return test::joined(gru(x[0], {}, x[1], x[2], x[3], x[4], options));
    return test::joined(gru(x[0], x[1], x[2], x[3], x[4], x[5], options));
  };
}
inline Compute attend(AttentionOptions options = {}) {
  return [options](const Inputs& in) {
    AttentionOptions given = options;
    if (!in.a.empty()) given.mask = in.a[0];
    return scaled_dot_product_attention(in.x[0], in.x[1], in.x[2], given);
  };
}

inline const std::map<std::string, Compute>& sequence_cases() {
  const std::vector<std::int64_t> lengths{5, 3, 1};
  static const std::map<std::string, Compute> table = {
      {"embedding", [](const Inputs& in) { return embedding(in.x[0], in.a[0]); }},
      {"embedding.padding", [](const Inputs& in) { return embedding(in.x[0], in.a[0], {.padding = 2}); }},
      {"embedding_grad",
       [](const Inputs& in) {
         return embedding_grad(in.x[0], in.a[0], {7, 5});
       }},
      {"layer_norm", [](const Inputs& in) { return layer_norm(in.x[0], in.x[1], in.x[2]); }},
      {"layer_norm.plain", [](const Inputs& in) { return layer_norm(in.x[0], {}, {}, {.epsilon = 0.1}); }},
      {"layer_norm.two_dims", [](const Inputs& in) { return layer_norm(in.x[0], in.x[1], in.x[2], {.dims = 2}); }},
      {"lstm", long_term()},
      {"lstm.no_state", long_term()},
      {"lstm.reverse", long_term({.reverse = true})},
      {"lstm.lengths", long_term({.lengths = lengths})},
      {"lstm.reverse_lengths", long_term({.reverse = true, .lengths = lengths})},
      {"lstm.wide", long_term()},
      {"lstm_cell",
       [](const Inputs& in) {
         const auto& x = in.x;
         return test::joined(lstm_cell(x[0], x[1], x[2], x[3], x[4], x[5], x[6]));
       }},
      {"gru", gated()},
      {"gru.no_state", gated()},
      {"gru.reverse", gated({.reverse = true})},
      {"gru.lengths", gated({.lengths = lengths})},
      {"gru.reverse_lengths", gated({.reverse = true, .lengths = lengths})},
      {"gru.wide", gated()},
      {"gru_cell",
       [](const Inputs& in) {
         const auto& x = in.x;
         return test::joined(gru_cell(x[0], x[1], x[2], x[3], x[4], x[5]));
       }},
      {"scaled_dot_product_attention", attend()},
      {"scaled_dot_product_attention.causal", attend({.causal = true})},
      {"scaled_dot_product_attention.mask", attend()},
      {"scaled_dot_product_attention.scale", attend({.scale = 0.3})},
      {"scaled_dot_product_attention.long", attend({.causal = true})},
      {"self_attention", [](const Inputs& in) { return self_attention(in.x[0], 2, {.causal = true}); }},
  };
  return table;
}

}  // namespace tandem::golden
