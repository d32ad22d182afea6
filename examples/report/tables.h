// The tables of a comparison: results, differences, metrics at equal steps, and a sweep's grids. Each is data
// (table.h): a program prints comparison_text at its end, the page shows the same tables.
#pragma once

#include <string>
#include <vector>

#include "comparison.h"
#include "sweep.h"
#include "table.h"

namespace tandem::report {

/// A row an optimizer: its final metrics, mean +- standard deviation over the seeds that did not diverge, the best
/// value of the main metric, how the runs ended ("3 seeds", "diverged at step 17 (2 of 3 seeds)"), examples/s.
Table results_table(const Comparison& comparison);

/// What the final values of the main metric say of two contenders.
struct Difference {
  std::size_t contender = 0, baseline = 0;  ///< by number; the baseline comes first
  PairedDifference paired;                  ///< contender - baseline
  std::string finding;
};
/// Of every pair of optimizers that have a seed in common, baseline by baseline. Beyond 6 optimizers: where rules were
/// swept over as many points, of those at the same point; else of the first against all others.
std::vector<Difference> differences(const Comparison& comparison, const std::string& metric);

/// Of the main metric; a heading "against NAME" a baseline.
Table differences_table(const Comparison& comparison);

/// Every metric at a quarter, half, three quarters and the end; empty when runs were evaluated once.
Table equal_steps_table(const Comparison& comparison);

/// A two-axis grid of the main metric: means over seeds, each shaded from ░ to █ towards the better, the best marked
/// *, "diverged" where all seeds did. One table for every choice of further axes; a grid of one axis is a single row.
std::vector<Table> sweep_tables(const Comparison& comparison);

/// A row a grid, of a metric that is an accuracy: its mean over the grid, which is the area under the sensitivity
/// curve, and how many places are within one point of the best run of the same seed, each with its interval over seeds.
/// Empty for other metrics and without a sweep; seeds that have not ended everywhere are left out.
Table sensitivity_table(const Comparison& comparison);

/// All of them, as a program prints them at the end.
std::string comparison_text(const Comparison& comparison);

/// "diverged at step 17 (2 of 3 seeds)", "3 seeds", "interrupted at step 5 (1 of 3 seeds)": how the runs ended.
std::string ends_text(const Comparison& comparison, const Contender& contender);

/// Values of a map in the order of its keys.
std::vector<double> values_of(const BySeed& by_seed);

}  // namespace tandem::report
