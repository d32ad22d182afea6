// --find-lr: what the losses over a rising lr say. The lr goes from a thousandth of the rule's to a hundred times it,
// by an equal factor a step, in 200 steps or --steps of them, however often they go over the data; a run ends where its
// loss is four times its least one (Smith 2017, "Cyclical learning rates").
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "run_folder.h"

namespace tandem::train {

inline constexpr std::int64_t kFindSteps = 200, kFewestFindSteps = 10;

/// The schedule of so many steps.
std::string rising_lr(std::int64_t steps);

struct FoundLr {
  double steepest = 0;     ///< where the smoothed loss falls fastest over log lr
  double least = 0;        ///< where it is least: training at it is about to become unstable
  bool has_risen = false;  ///< the loss rose again; else the rates end before the one that is too large
};

/// From one loss a step; losses are smoothed by an exponential average of factor 0.9, corrected for its start. Throws
/// Error when there are fewer than kFewestFindSteps.
FoundLr find_lr(const std::vector<double>& lr, const std::vector<double>& loss);

/// A line a run, from its steps.csv; and OUT/report.html, the loss of each over the lr.
std::string found_lr_table(const std::filesystem::path& folder, const Manifest& manifest);
void write_lr_report(const std::filesystem::path& folder, const Manifest& manifest);

}  // namespace tandem::train
