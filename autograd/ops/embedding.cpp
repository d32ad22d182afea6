// Rows of a table by token ids. Both directions are linear, each the other's transpose, so every order of gradient
// works.
#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/move/index.h>

#include "common.h"

namespace tandem {

using ops::value_of;

/// y = table[ids];  dtable = embedding_grad(dy, ids)
Tensor embedding(const Tensor& table, const Tensor& ids, const EmbeddingOptions& options) {
  const Array& rows = ops::floating("embedding", "table", table);
  const Array& index = value_of("embedding", "ids", ids);
  return record("embedding", kernels::take_rows(rows, index, "embedding"), {table}, {Save(index)},
                [options, shape = rows.shape()](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{embedding_grad(dy, saved[0], shape, options)};
                });
}

/// y[ids] += dy, but for the padding row;  ddy = rows of g by the ids, zeros for padding
Tensor embedding_grad(const Tensor& dy, const Tensor& ids, const Shape& table, const EmbeddingOptions& options) {
  const Array& index = value_of("embedding_grad", "ids", ids);
  Array y = kernels::take_rows_grad(ops::floating("embedding_grad", "dy", dy), index, table, "embedding_grad");
  if (options.padding >= 0 && options.padding < table[0]) y.select(0, options.padding).fill(0);
  return record("embedding_grad", std::move(y), {dy}, {Save(index)},
                [options, table](const Tensor& g, const Saved& saved, Needs) {
                  const bool pads = options.padding >= 0 && options.padding < table[0];
                  if (!pads) return Grads{embedding(g, saved[0])};
                  Shape rows = Shape::filled(table.rank(), 1);
                  rows[0] = table[0];
                  Array kept = Array::full(rows, 1, g.dtype());
                  kept.select(0, options.padding).fill(0);
                  return Grads{embedding(g * Tensor(kept), saved[0])};
                });
}

}  // namespace tandem
