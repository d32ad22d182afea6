// An inner loop of a run in mid-training, as the Lookahead paper's figure shows it (Zhang et al. 2019): the plane
// through its first, middle and last fast weights, the slow chord between the ends, and what the inner rule alone would
// have done in twice as many updates from there; further ones are measured without being drawn.
#pragma once

#include <filesystem>
#include <optional>

#include "make_survey.h"
#include "run_path.h"

namespace tandem::landscape {

/// k of the run's outermost loop where it is a number; nothing where there is none.
std::optional<std::int64_t> cycle_length(const train::RunReference& run);

/// The program that repeats the run: --program, or that of its manifest.
std::filesystem::path program_of(const Settings& settings, const train::RunReference& run);

/// Fills in plane, paths and marks.
void follow_cycle(const Settings& settings, const RunStep& at, const nn::Module& like, Made& made);

}  // namespace tandem::landscape
