// Rows of a table by token ids. Both directions are linear, each the other's transpose, so every order of gradient
// works.
#include <fmt/format.h>

#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/move/index.h>

#include "common.h"

namespace tandem {

using ops::value_of;

namespace {

/// The ids in row-major order. Throws Error naming the first that the table does not have.
Array checked_ids(const char* op, const Tensor& ids, const Shape& table) {
  const Array& value = value_of(op, "ids", ids);
  require_dtype(op, "ids", value, DType::i64);
  if (table.rank() != 2) fail(op, "the table must be [V, D]", "table " + to_string(table));
  const Array plain = value.contiguous();
  const std::int64_t* id = plain.data<std::int64_t>();
  for (std::int64_t i = 0; i < plain.size(); ++i) {
    if (id[i] >= 0 && id[i] < table[0]) continue;
    fail(op, fmt::format("token id {} is out of range, the table has {} rows", id[i], table[0]),
         fmt::format("at place {} of ids {}, table {}", i, to_string(value.shape()), to_string(table)),
         "is this the vocabulary that the table was made for?");
  }
  return plain;
}

}  // namespace

/// y = table[ids];  dtable = embedding_grad(dy, ids)
Tensor embedding(const Tensor& table, const Tensor& ids, const EmbeddingOptions& options) {
  const Array& rows = ops::floating("embedding", "table", table);
  const Array index = checked_ids("embedding", ids, rows.shape());
  return record("embedding", kernels::take_rows(rows, index), {table}, {Save(index)},
                [options, shape = rows.shape()](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{embedding_grad(dy, saved[0], shape, options)};
                });
}

/// y[ids] += dy, but for the padding row;  ddy = rows of g by the ids, zeros for padding
Tensor embedding_grad(const Tensor& dy, const Tensor& ids, const Shape& table, const EmbeddingOptions& options) {
  const Array index = checked_ids("embedding_grad", ids, table);
  Array y = kernels::take_rows_grad(ops::floating("embedding_grad", "dy", dy), index, table);
  if (options.padding >= 0 && options.padding < table[0]) y.select(0, options.padding).fill(0);
  return record("embedding_grad", std::move(y), {dy}, {Save(index)},
                [options, table](const Tensor& g, const Saved& saved, Needs) {
                  const bool pads = options.padding >= 0 && options.padding < table[0];
                  if (!pads) return Grads{embedding(g, saved[0])};
                  Array kept = Array::full({table[0], 1}, 1, g.dtype());
                  kept.set({options.padding, 0}, 0);
                  return Grads{embedding(g * Tensor(kept), saved[0])};
                });
}

}  // namespace tandem
