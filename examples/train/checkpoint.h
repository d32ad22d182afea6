// What a run starts from; the state inside it, and its checkpoint: with the model, the optimizer and what the program
// carries, everything that is needed to go on bit for bit. Not here: the file format (core/io/checkpoint.h), when one
// is written (run.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <tandem/core/io/safetensors.h>
#include <tandem/core/workers/workers.h>
#include <tandem/nn/module.h>
#include <tandem/optim/optimizer.h>

#include "run_folder.h"

namespace tandem::train {

inline constexpr const char* kCheckpoint = "checkpoint.safetensors";  ///< in the folder of a run

/// The weights of --init, from the run folder's copy, which errors call as it was given; with `new_head` those that
/// fit, and which that were. Throws Error when they do not fit.
std::string load_init(nn::Module& model, const std::filesystem::path& path, const std::string& called, bool new_head);
/// The parameters whose names match are not trained. Throws UsageError when there is none.
void freeze(nn::Module& model, const std::string& pattern);
/// The first entry of the model that is not finite; empty where all are.
std::string bad_entry(const nn::Module& model);
/// A checkpoint lies in the folder of a run, or the one before it.
bool has_checkpoint(const std::filesystem::path& folder);

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

/// Throws Error when a value is not finite; the checkpoint before stays then. Called by all ranks, of which rank 0
/// writes the states of all (rank_states.h); `path` is its own.
void save_state(const std::filesystem::path& path, const CheckpointOwner& owner, const TrainingState& state,
                const nn::Module& model, const Optimizer& optimizer, Workers& workers);

/// Where a new run starts that was forked from the one whose checkpoint `path` is: model, position and step are its
/// own, metrics and seconds begin anew; `taken` says what the optimizer took over. Throws Error when it does not fit.
TrainingState load_fork(const std::filesystem::path& path, nn::Module& model, Optimizer& optimizer, ForkReport& taken);

/// Falls back to the checkpoint before a damaged one, with a warning on standard error. Throws Error naming the file
/// when neither can be read, or it is of another run.
TrainingState load_state(const std::filesystem::path& path, const CheckpointOwner& owner, nn::Module& model,
                         Optimizer& optimizer, Workers& workers);

}  // namespace tandem::train
