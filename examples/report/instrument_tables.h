// Tables of what the instruments measured, for readers without scripts. Private to examples/report.
#pragma once

#include <string>
#include <vector>

#include "comparison.h"
#include "table.h"

namespace tandem::report {

/// A run with measurements, as the cockpit shows it: "lookahead, seed 0".
struct MeasuredRun {
  std::string name;
  const RunRecord* run;
};

/// Of each of the first six contenders that have any: the first run with instruments of the same parameters and bins as
/// the first of all.
std::vector<MeasuredRun> measured_runs(const Comparison& comparison);

/// A row a run: its last measurement.
Table last_instruments_table(const std::vector<MeasuredRun>& runs);
/// Up to twelve measurements of each run.
Table instruments_by_step_table(const std::vector<MeasuredRun>& runs);
/// Of each run the last measurement of its parameters, of 20 at most: those with the largest gradients.
Table instruments_by_parameter_table(const std::vector<MeasuredRun>& runs);

}  // namespace tandem::report
