// Training: one run, from initial weights or a checkpoint to the saved model. The loop that all programs share.
// Not here: what is trained (task.h), which runs there are (compare.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <tandem/nn/module.h>
#include <tandem/optim/optimizer.h>

#include "progress.h"
#include "run_folder.h"
#include "task.h"
#include "training_state.h"

namespace tandem::examples {

/// How long a run is: `epochs` whole epochs, or `steps` steps where that is shorter (0: never).
struct Length {
  std::int64_t epochs = 1;
  std::int64_t steps = 0;

  std::int64_t total_steps(std::int64_t steps_per_epoch) const;
  /// Epochs that are begun.
  std::int64_t total_epochs(std::int64_t steps_per_epoch) const;
};

/// When checkpoints are written, what they belong to, and the command that goes on from them.
struct CheckpointOptions {
  std::int64_t every = 0;  ///< steps; also at every epoch's end
  CheckpointOwner owner;
  std::string resume_command;
};

class Stopwatch {
 public:
  /// Goes on from `seconds`.
  void restart(double seconds) {
    before_ = seconds;
    begin_ = Clock::now();
  }
  double seconds() const { return before_ + std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  double before_ = 0;
  Clock::time_point begin_ = Clock::now();
};

/// One run: a new model with `rule`, whose schedules count steps of this run. Metrics are written after each epoch,
/// the model and its pictures at the end. train_loss is the mean over an epoch's batches as they were trained on; all
/// other metrics are of the evaluation weights.
class Training {
 public:
  Training(Task& task, const Run& run, const Rule& rule, const Length& length, const CheckpointOptions& options);

  /// Before each evaluation, batch-norm statistics are gathered anew from `batches` training batches with the
  /// evaluation weights; training goes on with its own. 0: evaluation uses those that training gathered.
  void reestimate_statistics(std::int64_t batches) { reestimate_ = batches; }

  /// Goes to where the run's checkpoint below `folder` was written and returns it; nothing when there is none.
  /// Throws Error when it is damaged or not of this run.
  std::optional<TrainingState> resume(const std::filesystem::path& folder);

  /// Trains to the end. Throws Error when a loss is not finite, naming the step and the first layer; nothing is saved
  /// then. Throws Interrupted after Ctrl-C, when the checkpoint is written.
  RunResult run(const Metadata& metadata, RunFolder& folder, Progress& progress);

 private:
  void train_epoch(std::int64_t total, RunFolder& folder, Progress& progress);
  void end_epoch(bool is_last, const Metadata& metadata, RunFolder& folder, Progress& progress);
  void save(RunFolder& folder);
  void stop_if_interrupted() const;

  Task& task_;
  Run run_;
  Length length_;
  CheckpointOptions options_;
  std::shared_ptr<nn::Module> model_;
  Optimizer optimizer_;
  std::int64_t reestimate_ = 0;
  TrainingState state_;
  Stopwatch watch_;
};

}  // namespace tandem::examples
