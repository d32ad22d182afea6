// What follows from a comparison, as text for the terminal: differences paired by seed, and metrics at equal steps.
#pragma once

#include <string>
#include <vector>

#include "comparison_record.h"

namespace tandem::examples {

/// Differences of the final values of `metric` under their baselines; empty when no two optimizers share a seed:
///
///   test_accuracy, by seed           mean  standard error     95 % interval  seeds  what follows
///   against momentum
///     lookahead                   +0.0031          0.0012  -0.0021 to 0.0083    3  nothing: holds 0
std::string difference_table(const std::vector<RunResult>& results, const std::string& metric);

/// Mean and standard deviation of every metric at the equal steps; empty when there is but one such step.
std::string equal_steps_table(const ComparisonRecord& record);

}  // namespace tandem::examples
