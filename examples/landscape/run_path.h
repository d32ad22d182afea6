// The weights of a run along its way: repeated to the bit by its own program (train/replay.h), also as it would have
// gone on without its Lookahead. Not here: planes through them (plane.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tandem/nn/module.h>
#include <tandem/train/replay.h>

#include "weights.h"

namespace tandem::landscape {

/// What a model was after a step, or at its sync before the pull.
struct Stop {
  std::int64_t step = 0;
  bool is_before_pull = false;
  Weights weights;
};

/// After each of these steps, in rising order; a sync has two stops, the one before the pull first.
std::vector<Stop> follow_run(const train::RunReference& run, const std::filesystem::path& program,
                             const std::vector<std::int64_t>& steps, const nn::Module& like);

/// The same of the run forked before step `from` + 1 with another rule, `optimizer`, on the batches that follow.
std::vector<Stop> follow_fork(const train::RunReference& run, const std::filesystem::path& program, std::int64_t from,
                              const std::string& optimizer, const std::vector<std::int64_t>& steps,
                              const nn::Module& like);

/// The rule inside a run's outermost loop, as text; empty where it has none.
std::string inner_rule(const train::RunReference& run);

/// "RUN@STEP". Throws UsageError "WHERE: ...".
struct RunStep {
  train::RunReference run;
  std::int64_t step = 0;
};
RunStep parse_run_step(const std::string& text, const std::string& where);

}  // namespace tandem::landscape
