// What several seeds say: differences of optimizers paired by seed, and metrics at equal steps. They stand under the
// table of results, in the terminal (comparison_text.h) and in the report, and say what follows and no more.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "comparison_record.h"

namespace tandem::examples {

/// A mean of differences d_s = a_s - b_s over the n seeds that both have, with the 95 % interval of Student's t:
///   mean +- t(n - 1) * standard_error,   standard_error = sqrt(sum (d_s - mean)^2 / (n - 1) / n)
struct PairedDifference {
  std::size_t seeds = 0;
  double mean = 0, standard_error = 0, low = 0, high = 0;  ///< NaN where seeds are too few: 1 for the mean, else 2

  /// All differences are the same but for rounding, as small counts make them: the interval means nothing.
  bool is_degenerate() const { return seeds > 1 && standard_error <= 1e-6 * std::abs(mean); }
  /// The interval leaves out 0.
  bool is_beyond_chance() const { return seeds > 1 && !is_degenerate() && (low > 0 || high < 0); }
};
PairedDifference paired_difference(const std::vector<double>& differences);

/// The 97.5 % quantile of Student's t with so many degrees of freedom (at least 1); beyond 30 that of 30, which is
/// larger.
double t_quantile(std::size_t degrees);

/// What the final values of a metric say of two contenders.
struct Difference {
  std::size_t contender = 0, baseline = 0;  ///< their places in contenders_of(results); the baseline comes first
  PairedDifference paired;                  ///< contender - baseline
  /// "better" or "worse" (the contender), else why nothing follows:
  /// "nothing: one seed", "nothing: all equal", "nothing: holds 0"
  std::string finding;
};

/// Of every pair of optimizers that have a seed in common, baseline by baseline.
std::vector<Difference> differences(const std::vector<RunResult>& results, const std::string& metric);

/// What a reader of differences, of which there are some, has to know.
std::string differences_note(const std::vector<Difference>& differences);

/// Steps at which all runs were evaluated: those nearest to a quarter, half and three quarters of the last, and the
/// last. Empty when there is but one.
std::vector<std::int64_t> equal_steps(const ComparisonRecord& record);

/// The values of a contender's runs that were measured at this step.
std::vector<double> values_at(const ComparisonRecord& record, const Contender& contender, std::int64_t step,
                              const std::string& metric);

/// Names of all metrics, in the order in which they were measured.
std::vector<std::string> metrics_of(const ComparisonRecord& record);

/// Of those the ones that were measured after epochs, and not only at the end of a run.
std::vector<std::string> metrics_over_steps(const ComparisonRecord& record);

}  // namespace tandem::examples
