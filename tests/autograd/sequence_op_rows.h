// The rows of the ops in autograd/sequence_ops.h, beside those of op_table.h.
#pragma once

#include <limits>

#include <tandem/autograd/sequence_ops.h>

#include "op_table.h"

namespace tandem::test {

/// Outputs and last states as one row of numbers.
inline Tensor joined(const RecurrentResult& r) {
  std::vector<Tensor> parts{reshape(r.y, {-1}), reshape(r.h, {-1})};
  if (r.c.defined()) parts.push_back(reshape(r.c, {-1}));
  return cat(parts, 0);
}

// NOLINTBEGIN: a table reads best in long lines.
// clang-format off

inline void add_tables_and_norms(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  const Tensor ids = Numbers::index({0, 4, 4, 2, 1, 4}, {2, 3}), used = Numbers::index({1, 0, 0, 1, 1, 0}, {2, 3, 1});
  const std::string norm = "layer_norm(x, w, b, options)";
  rows.insert(rows.end(), {
    {"embedding(table, ids, options)", "repeated", [](In x) { return embedding(x[0], x[1]); }, {n.normal({5, 4}), ids}},
    {"embedding(table, ids, options)", "padding", [](In x) { return where(x[2], embedding(x[0], x[1], {.padding = 4}), scalar(0, x[0].dtype())); }, {n.normal({5, 4}), ids, used}},
    {"embedding_grad(dy, ids, table, options)", "", [](In x) { return embedding_grad(x[0], x[1], {5, 4}); }, {n.normal({2, 3, 4}), ids}},
    {"embedding_grad(dy, ids, table, options)", "padding", [](In x) { return embedding_grad(x[0], x[1], {5, 4}, {.padding = 4}); }, {n.normal({2, 3, 4}), ids}},
    {norm, "", [](In x) { return layer_norm(x[0], x[1], x[2]); }, {n.normal({2, 3, 5}), n.normal({5}), n.normal({5})}},
    {norm, "without w and b", [](In x) { return layer_norm(x[0], {}, {}, {.epsilon = 0.1}); }, {n.normal({6, 5})}},
    {norm, "two dims", [](In x) { return layer_norm(x[0], x[1], x[2], {.dims = 2}); }, {n.normal({3, 2, 4}), n.normal({2, 4}), n.normal({2, 4})}},
    {norm, "one row", [](In x) { return layer_norm(x[0], x[1], {}); }, {n.normal({7}), n.normal({7})}},
    {"locked_dropout(x, p, dim, generator)", "", [](In x) { Generator generator(3); return locked_dropout(x[0], 0.4, 0, generator); }, {n.normal({3, 4, 5})}},
  });
}

inline void add_recurrences(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  const std::string lstm_op = "lstm(x, h, c, w_ih, w_hh, b_ih, b_hh, options)", gru_op = "gru(x, h, w_ih, w_hh, b_ih, b_hh, options)";
  const auto long_term = [](const RecurrentOptions& options) {
    return [options](In x) { return joined(lstm(x[0], x[1], x[2], x[3], x[4], x[5], x[6], options)); };
  };
  const auto gated = [](const RecurrentOptions& options) {
    return [options](In x) { return joined(gru(x[0], x[1], x[2], x[3], x[4], x[5], options)); };
  };
  const auto inputs = [&n](std::int64_t gates, bool cell) {  // T 4, B 3, I 2, H 3
    Inputs all{n.normal({4, 3, 2}), n.normal({3, 3})};
    if (cell) all.push_back(n.normal({3, 3}));
    for (const Shape& shape : {Shape{gates * 3, 2}, Shape{gates * 3, 3}, Shape{gates * 3}, Shape{gates * 3}}) all.push_back(n.normal(shape));
    return all;
  };
  const auto step = [&n](std::int64_t gates, bool cell) {
    Inputs all{n.normal({3, 2}), n.normal({3, 4})};
    if (cell) all.push_back(n.normal({3, 4}));
    for (const Shape& shape : {Shape{gates * 4, 2}, Shape{gates * 4, 4}, Shape{gates * 4}, Shape{gates * 4}}) all.push_back(n.normal(shape));
    return all;
  };
  rows.insert(rows.end(), {
    {lstm_op, "", long_term({}), inputs(4, true)},
    {lstm_op, "reverse", long_term({.reverse = true}), inputs(4, true)},
    {lstm_op, "lengths", long_term({.lengths = {2, 4, 1}}), inputs(4, true)},
    {lstm_op, "reverse, lengths", long_term({.reverse = true, .lengths = {2, 3, 1}}), inputs(4, true)},
    {lstm_op, "without states and biases", [](In x) { return joined(lstm(x[0], {}, {}, x[1], x[2], {}, {})); }, {n.normal({3, 2, 2}), n.normal({12, 2}), n.normal({12, 3})}},
    {lstm_op, "without states, lengths, reverse", [](In x) { return joined(lstm(x[0], {}, {}, x[1], x[2], x[3], {}, {.reverse = true, .lengths = {1, 3}})); }, {n.normal({3, 2, 2}), n.normal({12, 2}), n.normal({12, 3}), n.normal({12})}},
    {gru_op, "", gated({}), inputs(3, false)},
    {gru_op, "reverse", gated({.reverse = true}), inputs(3, false)},
    {gru_op, "lengths", gated({.lengths = {2, 4, 1}}), inputs(3, false)},
    {gru_op, "reverse, lengths", gated({.reverse = true, .lengths = {2, 3, 1}}), inputs(3, false)},
    {gru_op, "without state and biases", [](In x) { return joined(gru(x[0], {}, x[1], x[2], {}, {})); }, {n.normal({3, 2, 2}), n.normal({9, 2}), n.normal({9, 3})}},
    {"lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh)", "", [](In x) { return joined(lstm_cell(x[0], x[1], x[2], x[3], x[4], x[5], x[6])); }, step(4, true)},
    {"gru_cell(x, h, w_ih, w_hh, b_ih, b_hh)", "", [](In x) { return joined(gru_cell(x[0], x[1], x[2], x[3], x[4], x[5])); }, step(3, false)},
  });
}

inline void add_attention(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  constexpr double kHidden = -std::numeric_limits<double>::infinity();
  const Shape q{2, 2, 3, 4}, k{2, 2, 5, 4}, v{2, 2, 5, 3};
  const std::string op = "scaled_dot_product_attention(q, k, v, options)", joint = "self_attention(x, heads, options)";
  const auto attend = [](const AttentionOptions& options) {
    return [options](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], options); };
  };
  const auto attend_self = [](const AttentionOptions& options) {
    return [options](In x) { return self_attention(x[0], 2, options); };
  };
  const Array padding = Array::from(std::vector<std::int64_t>{0, 1, 0, 0, 1, 1, 1, 1, 1, 1}, {2, 5});
  const Array row_hidden = Array::from({0, kHidden, 0.5, 1, 0, kHidden, kHidden, kHidden, kHidden, kHidden, 0, 0, 0, 0, -2}, {3, 5}, DType::f64);
  const Array by_head = n.normal({2, 1, 1}).value();
  rows.insert(rows.end(), {
    {op, "", attend({}), {n.normal(q), n.normal(k), n.normal(v)}},
    {op, "causal", attend({.causal = true}), {n.normal(q), n.normal(k), n.normal(v)}},
    {op, "causal after cached keys", attend({.causal = true, .first_query = 2}), {n.normal(q), n.normal(k), n.normal(v)}},
    {op, "scale", attend({.scale = 0.3}), {n.normal(q), n.normal(k), n.normal(v)}},
    {op, "mask that hides a row", attend({.mask = row_hidden}), {n.normal(q), n.normal(k), n.normal(v)}},
    {op, "mask by head", attend({.mask = by_head}), {n.normal(q), n.normal(k), n.normal(v)}},
    {op, "padding, one sentence whole", attend({.hidden_keys = padding}), {n.normal(q), n.normal(k), n.normal(v)}},
    {op, "all masks, dropout", attend({.causal = true, .first_query = 1, .mask = row_hidden, .hidden_keys = padding, .dropout = 0.4, .generator = Generator(4)}), {n.normal(q), n.normal(k), n.normal(v)}},
    {joint, "", attend_self({}), {n.normal({2, 3, 12})}},
    {joint, "causal, dropout", attend_self({.causal = true, .dropout = 0.3, .generator = Generator(5)}), {n.normal({2, 3, 12})}},
  });
}

// clang-format on
// NOLINTEND

inline std::vector<OpRow> sequence_op_table() {
  std::vector<OpRow> rows;
  Numbers numbers;
  add_tables_and_norms(rows, numbers);
  add_recurrences(rows, numbers);
  add_attention(rows, numbers);
  return rows;
}

}  // namespace tandem::test
