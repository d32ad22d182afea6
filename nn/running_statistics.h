// Running statistics of batch norms belong to the weights they were gathered with. After swapping weights (slow weights
// of Lookahead, averages) they can be gathered anew with the function here. Read next: batch_norm2d.h.
#pragma once

#include <functional>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// Replaces the running statistics of every BatchNorm2d below `model` by plain averages over the batches that
/// `run_batches` sends through the model. Meanwhile batch norms are in training behaviour, everything else in
/// evaluation behaviour, and nothing is recorded; afterwards all are as they were. Throws Error when no batch ran
/// through some batch norm. A model without batch norms is left alone, and `run_batches` is not called.
///   reestimate_running_statistics(model, [&] { for (const Batch& batch : loader) model(batch.images); });
void reestimate_running_statistics(Module& model, const std::function<void()>& run_batches);

}  // namespace tandem::nn
