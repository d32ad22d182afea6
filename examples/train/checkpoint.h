// The state inside a run, and its checkpoint: with the model, the optimizer and what the program carries, everything
// that is needed to go on bit for bit. Not here: the file format (core/checkpoint.h), when one is written (run.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <tandem/core/safetensors.h>
#include <tandem/nn/module.h>
#include <tandem/optim/optimizer.h>

#include "manifest.h"

namespace tandem::train {

/// What was trained on: sums of an epoch, or of a run.
struct Trained {
  double loss = 0;  ///< summed over examples
  double seconds = 0;
  std::int64_t examples = 0;

  double mean_loss() const { return examples > 0 ? loss / static_cast<double>(examples) : 0; }
  double examples_per_second() const { return seconds > 0 ? static_cast<double>(examples) / seconds : 0; }
};

/// Bytes of the logs that belong to a state: what lies behind them was written after it.
struct LogPosition {
  std::int64_t steps = 0, metrics = 0, events = 0, inner = 0, instruments = 0;
};

struct TrainingState {
  std::int64_t step = 0;     ///< of the run
  std::int64_t epochs = 0;   ///< done
  std::int64_t batches = 0;  ///< done in this epoch
  Trained epoch, all;        ///< the epoch so far; the whole epochs before
  Metrics last, best;        ///< evaluations: the last one; each metric at its best
  double best_watched = 0;   ///< of the watched metric, where there was one
  std::int64_t evaluations = 0, evaluations_since_best = 0;
  double seconds = 0;  ///< of the run, evaluations included
  LogPosition logs;
  NamedArrays carried;  ///< what goes on from batch to batch beside the model
};

/// What a checkpoint belongs to; it is not loaded into anything else.
struct CheckpointOwner {
  std::string program, run, optimizer, data_checksum;
};

/// Throws Error when a value is not finite; the checkpoint before stays then.
void save_state(const std::filesystem::path& path, const CheckpointOwner& owner, const TrainingState& state,
                const nn::Module& model, const Optimizer& optimizer);

/// Falls back to the checkpoint before a damaged one, with a warning on standard error. Throws Error naming the file
/// when neither can be read, or it is of another run.
TrainingState load_state(const std::filesystem::path& path, const CheckpointOwner& owner, nn::Module& model,
                         Optimizer& optimizer);

}  // namespace tandem::train
