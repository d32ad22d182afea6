// train: one run, from initial weights to the saved model. The loop that all programs share.
// Not here: what is trained (task.h), which runs there are (compare.h).
#pragma once

#include <cstdint>
#include <string>

#include <tandem/optim/rule.h>

#include "progress.h"
#include "run_folder.h"
#include "task.h"

namespace tandem::examples {

/// How long a run is: `epochs` whole epochs, or `steps` steps where that is shorter (0: never).
struct Length {
  std::int64_t epochs = 1;
  std::int64_t steps = 0;

  std::int64_t total_steps(std::int64_t steps_per_epoch) const;
  /// Epochs that are begun.
  std::int64_t total_epochs(std::int64_t steps_per_epoch) const;
};

/// Trains a new model with `rule` (its schedules count steps of this run) and writes metrics after each epoch and, at
/// the end, the model. train_loss is the mean over an epoch's batches as they were trained on; all other metrics are of
/// the evaluation weights. Throws Error when a loss is not finite, naming the step and the first layer; nothing is
/// saved then.
RunResult train(Task& task, const Run& run, const Rule& rule, const Length& length, const Metadata& metadata,
                RunFolder& folder, Progress& progress);

}  // namespace tandem::examples
