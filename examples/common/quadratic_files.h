// What `quadratic` leaves behind: every figure as JSON, and the curves as CSV for drawing. Written whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "quadratic_adaptive.h"
#include "quadratic_experiments.h"

namespace tandem::quadratic {

/// All that a run found, and how.
struct Findings {
  std::string command;
  Effort effort;
  int threads = 0;
  double seconds = 0;
  std::vector<VarianceRow> variance;
  Convergence convergence;
  Rates rates;
  std::vector<AdaptiveRow> adaptive;
};

/// Writes variance.csv, convergence.csv, rates.csv, adaptive.csv and, last, quadratic.json. Throws Error.
void write_findings(const std::filesystem::path& folder, const Findings& findings);

}  // namespace tandem::quadratic
