// Trials by processes of their own, one thread each: what a trial gives does not depend on who runs it. Each process
// writes a log of its own, so that nothing has to be agreed on; they are joined when all have ended.
//
//   OUT/trials.jsonl   all trials that are over        OUT/trials-N.jsonl   of process N, while it works
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "trial.h"

namespace tandem::study {

/// What is over: OUT/trials.jsonl, and logs that an interrupted study left, which are joined into it.
Outcomes read_outcomes(const std::filesystem::path& folder);

struct Progress {
  std::size_t done = 0, all = 0;
  double seconds = 0;
};

/// Runs those of `trials` that have no outcome yet, `jobs` at a time, and adds their outcomes. `tell` is called about
/// once a second. False when a signal (train::interrupt_signal) ended it: each process finishes the trial at hand.
/// Throws Error when a process fails. No other thread may run.
bool run_trials(const std::filesystem::path& folder, const Settings& settings, const std::vector<Trial>& trials,
                int jobs, Outcomes& outcomes, const std::function<void(const Progress&)>& tell);

/// Seconds that a study at scale 1 would take with so many jobs, from one short training of each task.
double estimated_seconds(const Settings& settings, int jobs);

}  // namespace tandem::study
