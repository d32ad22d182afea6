// What `quadratic` leaves behind: every figure as JSON, the curves as CSV, the page. Each file is written whole or not
// at all. Not here: what stands in the page (page.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tandem/train/result_folder.h>

#include "adaptive.h"
#include "experiments.h"

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

inline const train::ResultKind kResult = {"quadratic", "quadratic 1", "quadratic.json"};

/// Writes quadratic.json first, which says whose the folder is, then variance.csv, convergence.csv, rates.csv,
/// adaptive.csv and report.html. Throws Error.
void write_findings(const std::filesystem::path& folder, const Findings& findings);

}  // namespace tandem::quadratic
