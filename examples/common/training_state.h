// TrainingState: where a run stands between two steps, and its checkpoint: weights, buffers, optimizer tree, random
// generators, loader position, what the Task carries and the sums of the epoch, so that going on gives the bits of a
// run that never stopped. Not here: the file format (core/checkpoint.h), which runs there are (manifest.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <tandem/core/safetensors.h>
#include <tandem/nn/module.h>
#include <tandem/optim/optimizer.h>

#include "run_folder.h"

namespace tandem::examples {

/// Sums of training: of an epoch for train_loss, of a run for examples a second.
struct Trained {
  double loss = 0, seconds = 0;
  std::int64_t examples = 0;

  double mean_loss() const { return loss / static_cast<double>(examples); }
  double examples_per_second(double running = 0) const { return static_cast<double>(examples) / (seconds + running); }
};

struct TrainingState {
  std::int64_t step = 0;
  std::int64_t epochs = 0;   ///< finished
  std::int64_t batches = 0;  ///< consumed of the epoch after those
  Trained epoch;             ///< of that epoch so far
  Trained all;               ///< of the finished epochs
  double seconds = 0;        ///< since the start of the run, with evaluations
  Metrics final_metrics, best_metrics;
  LogPosition position;  ///< of metrics.csv and the events
  NamedArrays carried;   ///< what the Task carries to the next batch
};

/// What a checkpoint belongs to; a checkpoint of anything else is refused.
struct CheckpointOwner {
  std::string program, run, optimizer, data_checksum;
};

/// OUT/RUN/checkpoint.safetensors.
std::filesystem::path checkpoint_path(const std::filesystem::path& folder, const Run& run);

/// Throws Error when some state is not finite (nothing is written) or the file cannot be written; the checkpoint before
/// stays.
void save_training_state(const std::filesystem::path& path, const CheckpointOwner& owner, const TrainingState& state,
                         const nn::Module& model, const Optimizer& optimizer);

/// Brings model and optimizer to where the checkpoint was written. Throws Error naming the file and the reason, before
/// anything has changed, when it is damaged, or of another program, run, optimizer or data set.
TrainingState load_training_state(const std::filesystem::path& path, const CheckpointOwner& owner, nn::Module& model,
                                  Optimizer& optimizer);

}  // namespace tandem::examples
