// Softmax, log-softmax and cross-entropy along one dim, each in one stable pass (the maximum is subtracted first).
// Not here: double differentiation, which autograd/ops writes with ops.
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

/// y_j = e^{x_j} / sum_i e^{x_i}.
Array softmax(const Array& x, int dim);
/// dx_j = y_j (dy_j - sum_i dy_i y_i).
Array softmax_grad(const Array& dy, const Array& y, int dim);
/// y_j = x_j - log sum_i e^{x_i}.
Array log_softmax(const Array& x, int dim);
/// dx_j = dy_j - e^{y_j} sum_i dy_i.
Array log_softmax_grad(const Array& dy, const Array& y, int dim);

/// Losses of rows: -sum_c q_c log_softmax(x)_c with q = (1 - smoothing) * onehot(label) + smoothing / C.
/// x [B, C], labels i64 [B]; label `ignore` contributes nothing. Returns the mean over the rows that count, a scalar of
/// f32 (f64 of f64). `log_sums` [B, 2], unless null, receives m = max x_c and log sum_c e^{x_c - m} of each row, for
/// backward. Throws Error naming row and value of a label out of range.
Array cross_entropy(const Array& x, const Array& labels, double smoothing, std::int64_t ignore, Array* log_sums);
/// dx = scale * (softmax - q) / rows that count, of x's dtype; dy is the scalar gradient of the loss.
Array cross_entropy_grad(const Array& dy, const Array& x, const Array& log_sums, const Array& labels, double smoothing,
                         std::int64_t ignore);

}  // namespace tandem::kernels
