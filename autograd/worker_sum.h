// sum_over_workers: an op between processes, for statistics of a batch that several of them divide (nn/batch_norm2d.h).
// Not here: means of gradients (optim/engine/gradient_mean.h), who the workers are (core/workers).
#pragma once

#include <memory>

#include <tandem/autograd/tensor.h>
#include <tandem/core/workers/workers.h>

namespace tandem {

/// y[i] = sum over all workers of x[i], f32 or f64, the same on each. dx = sum over all workers of dy: the gradient of
/// the sum of their losses, so that the mean of their gradients is that of the mean loss. Every worker calls it equally
/// often, and backward as well. x itself with one worker.
Tensor sum_over_workers(const Tensor& x, const std::shared_ptr<Workers>& workers);

}  // namespace tandem
