// The ops of sequences: embedding, layer normalisation, recurrences, attention, and the dropouts of language models.
// One op a file under ops/, as for ops.h; rows in tests/autograd/sequence_op_rows.h. T is time, B the batch.
// Not here: layers with names and several directions (nn/lstm.h, nn/multihead_attention.h ...).
#pragma once

#include <tandem/autograd/tensor.h>
#include <tandem/core/generator.h>
#include <tandem/core/kernels/attention/attention.h>
#include <tandem/core/kernels/recurrent/recurrent.h>

namespace tandem {

struct EmbeddingOptions {
  std::int64_t padding = -1;  ///< this id's row gets no gradient; -1: none
};
/// y[..., :] = table[ids[...], :]; table [V, ...], ids i64 of any shape. Throws Error naming position, id and V.
Tensor embedding(const Tensor& table, const Tensor& ids, const EmbeddingOptions& options = {});
/// The transpose of embedding: zeros of `table` [V, ...], then row ids[...] += dy[..., :], in the order of the ids.
Tensor embedding_grad(const Tensor& dy, const Tensor& ids, const Shape& table, const EmbeddingOptions& options = {});

struct LayerNormOptions {
  double epsilon = 1e-5;
  int dims = 1;  ///< how many of the last dims are normalised together
};
/// y = (x - mean) / sqrt(var + epsilon) w + b over the last dims; w, b of their shape, or undefined: 1 and 0.
Tensor layer_norm(const Tensor& x, const Tensor& w, const Tensor& b, const LayerNormOptions& options = {});

/// Outputs of all steps and the states after the last, which continue a sequence when given to the next call.
struct RecurrentResult {
  Tensor y;  ///< [T, B, H]; [B, H] of a single step
  Tensor h;  ///< [B, H]
  Tensor c;  ///< [B, H]; undefined for a GRU
};
/// A whole layer and direction (see core/kernels/recurrent/lstm.h for the formula). x [T, B, I], h and c [B, H] or
/// undefined (zeros), w_ih [4H, I], w_hh [4H, H], b_ih and b_hh [4H] or undefined; gates in the order i, f, g, o. The
/// projection is one product over all steps; so are the gradients of both weights.
RecurrentResult lstm(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
                     const Tensor& b_ih, const Tensor& b_hh, const RecurrentOptions& options = {});
/// The same for a GRU (core/kernels/recurrent/gru.h): weights [3H, ...], gates in the order r, z, n.
RecurrentResult gru(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                    const Tensor& b_hh, const RecurrentOptions& options = {});
/// One step, written with ops, so that it can be differentiated twice: x [B, I], h and c [B, H], all defined.
RecurrentResult lstm_cell(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
                          const Tensor& b_ih, const Tensor& b_hh);
RecurrentResult gru_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                         const Tensor& b_hh);

/// y = softmax(scale q k^T + masks) v for each head (see core/kernels/attention/attention.h): q [B, h, T, d], k [B, h,
/// S, d], v [B, h, S, e], y [B, h, T, e]. The masks are constants.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options = {});
/// Self-attention of a joint projection: x [B, T, 3 E] holds q, k and v side by side, each of `heads` heads;
/// y [B, T, E] has the heads joined again. The same as cutting x apart, without the copies.
Tensor self_attention(const Tensor& x, std::int64_t heads, const AttentionOptions& options = {});

/// Dropout with one mask for all places of `dim` (Gal & Ghahramani 2016, "variational"): y = x m, m of size 1 there.
Tensor locked_dropout(const Tensor& x, double p, int dim, Generator& generator);

}  // namespace tandem
