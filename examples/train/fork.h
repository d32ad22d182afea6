// --fork RUN[@STEP]: every optimizer of a comparison starts from the state that a run of the same program had after a
// step, on the batches that follow it. OUT/fork.safetensors keeps that state, so that nothing else is needed later.
//
//   taken over   weights, buffers, random states, the position in the batches, the step count, what goes on from batch
//   to
//                batch; of the optimizer what has an equal role (Optimizer::fork)
//   fresh        the rest of the optimizer's state; metrics, seconds
//
// Not here: how a step between two checkpoints is repeated (replay.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <tandem/nn/module.h>
#include <tandem/optim/optimizer.h>

#include "run_folder.h"

namespace tandem::train {

struct ForkPoint {
  std::filesystem::path run;
  std::optional<std::int64_t> step;  ///< nothing: that of the run's checkpoint
};

/// "RUN@500" or "RUN".
ForkPoint parse_fork(const std::string& text);
/// Where the runs of a folder were forked from; nothing where they were not.
std::optional<ForkPoint> fork_of(const Manifest& manifest);

/// The bytes of a checkpoint of that run and step, repeated where none is there. Throws UsageError when the run has no
/// such step, Error when its data are others.
std::string read_fork(const ForkPoint& fork, const std::string& data_checksum);

/// What a fork has taken over, a line: "taken: step, momentum_buffer; fresh: slow".
std::string to_string(const ForkReport& report, const nn::Module& model);

}  // namespace tandem::train
