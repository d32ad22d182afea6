// Batch normalisation over all dims but the channels, with the ReLU after it in the same pass
// (Ioffe & Szegedy 2015, eq. 1-4):
//   mean_c, var_c (biased) over the batch;  y = (x - mean) / sqrt(var + epsilon) * w + b;  optionally y = max(y, 0)
// f64 runs through reference/batch_norm.h; bf16 and f16 are read and written as they are, computed in f32. Not here:
// running statistics (nn/batch_norm2d).
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

struct BatchNormForward {
  Array y;
  Array mean;               ///< [C], of this batch
  Array inverse_deviation;  ///< [C], 1 / sqrt(var + epsilon)
  Array variance;           ///< [C], biased
};

/// x [N, C, ...]; w, b [C]; beside x of bf16 or f16 they may be f32, and statistics are. With `add` (shape of x)
/// defined: y = relu?(norm(x) + add), the residual join.
BatchNormForward batch_norm_train(const Array& x, const Array& w, const Array& b, double epsilon, bool relu,
                                  const Array& add = {});
/// With given statistics [C].
Array batch_norm_evaluate(const Array& x, const Array& w, const Array& b, const Array& mean, const Array& variance,
                          double epsilon, bool relu, const Array& add = {});

struct BatchNormGrads {
  Array dx, dw, db;
  Array dadd;  ///< defined when asked for
};

/// `y` (the output) is given when relu was: dy counts where y is not 0 or below. dw and db have the dtype of w.
///   dw = sum dy xhat;  db = sum dy;  dx = w inv (dy - db / M - xhat dw / M), M = N H W.
BatchNormGrads batch_norm_train_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                                     const Array& inverse_deviation, const Array& y, bool want_dadd = false);
/// The same for y = relu(norm(x)) without a join, from x alone: whether y is 0 or below is computed again.
BatchNormGrads batch_norm_relu_grad(const Array& dy, const Array& x, const Array& w, const Array& b, const Array& mean,
                                    const Array& inverse_deviation);

}  // namespace tandem::kernels
