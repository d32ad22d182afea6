// Batch norm among several processes: the statistics of the whole batch, that all of them divide, in place of those of
// each part. Read next: batch_norm2d.h.
#pragma once

#include <memory>

#include <tandem/core/workers/workers.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// Every BatchNorm2d below `model` takes its statistics over all workers from now on (SyncBatchNorm in PyTorch): four
/// small all-reduces a layer and step. All workers train with equally many batches. One worker changes nothing.
void synchronise_batch_norm(Module& model, const std::shared_ptr<Workers>& workers);

}  // namespace tandem::nn
