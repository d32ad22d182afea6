// What several seeds say: mean and standard deviation, and differences of two optimizers paired by seed, with what
// follows from them and no more. Values that are not finite, as diverged runs leave them, are counted, never averaged.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tandem::report {

struct MeanAndDeviation {
  std::size_t count = 0;     ///< finite values
  std::size_t left_out = 0;  ///< values that are not finite
  double mean = 0;           ///< of the finite values; NaN when there is none
  double deviation = 0;      ///< sqrt(sum (x - mean)^2 / (count - 1)); 0 for a single value, NaN for none
};
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

/// The 97.5 % quantile of Student's t with so many degrees of freedom (at least 1); beyond 30 that of 30, which is
/// larger.
double t_quantile(std::size_t degrees);

/// A mean of differences d_s = a_s - b_s over the n seeds that both have, with the 95 % interval of Student's t:
///   mean +- t(n - 1) * standard_error,   standard_error = sqrt(sum (d_s - mean)^2 / (n - 1) / n)
struct PairedDifference {
  std::size_t seeds = 0;
  double mean = 0, standard_error = 0, low = 0, high = 0;  ///< NaN where seeds are too few: 1 for the mean, else 2
  std::size_t left_out = 0;                                ///< seeds that both have, but where one has no finite value

  /// All differences are the same but for rounding, as small counts make them: the interval means nothing.
  bool is_degenerate() const { return seeds > 1 && standard_error <= 1e-6 * std::abs(mean); }
  /// The interval leaves out 0.
  bool is_beyond_chance() const { return seeds > 1 && !is_degenerate() && (low > 0 || high < 0); }
};
PairedDifference paired_difference(const std::vector<double>& differences);

/// By seed; a run that diverged has NaN.
using BySeed = std::map<std::uint64_t, double>;

/// a - b over the seeds that both have.
PairedDifference paired_difference(const BySeed& a, const BySeed& b);

/// "better" or "worse" (a than b), else why nothing follows: "nothing: one seed", "nothing: all equal", "nothing: holds
/// 0", "nothing: diverged" (in every seed); with ", 1 of 3 seeds left out: diverged" where some are.
std::string finding(const PairedDifference& difference, bool is_larger_better);

/// What a reader of so many findings has to know.
std::string findings_note(const std::vector<PairedDifference>& differences);

}  // namespace tandem::report
