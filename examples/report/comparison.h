// Comparison: runs that differ in optimizer and seed and in nothing else, from one run folder or several, gathered by
// optimizer. Only such runs stand in one table. Not here: statistics (statistics.h), tables (tables.h).
#pragma once

#include <string>
#include <vector>

#include "record.h"
#include "statistics.h"

namespace tandem::report {

/// One point in which two run folders differ, with both values.
struct Discrepancy {
  std::string name, a, b;
};

/// What of the experiments differs: program, the experiment's entries, the options, the length. Empty: the same
/// experiment, whose runs may be joined.
std::vector<Discrepancy> same_experiment(const RunFolder& a, const RunFolder& b);

/// What of the circumstances differs: threads, machine with its instruction set, software. Runs are joined all the
/// same, and the report says it: their last digits, and with them long runs, may differ for this reason.
std::vector<Discrepancy> circumstances(const RunFolder& a, const RunFolder& b);

/// "batch is 128 there and 64 here; epochs ..." ; a name that one does not have is "not given".
std::string discrepancy_text(const std::vector<Discrepancy>& discrepancies);

/// One optimizer of a comparison and its runs, by number.
struct Contender {
  std::string optimizer;  ///< in full
  std::string name;       ///< its label, where that is another's too the optimizer in full
  Texts arguments;
  std::vector<std::size_t> runs;
};

struct Comparison {
  std::vector<RunFolder> folders;  ///< at least one; their runs have moved to `runs`
  std::vector<RunRecord> runs;
  std::vector<Contender> contenders;

  const RunFolder& first() const { return folders.front(); }
  const std::string& metric() const { return folders.front().experiment.metric; }
  /// Names of all metrics, in the order in which they were measured.
  std::vector<std::string> metrics() const;
  /// All seeds, ascending.
  std::vector<std::uint64_t> seeds() const;
  /// The final value of a metric by seed: NaN for a diverged run, and none for one that is interrupted or has not
  /// measured it.
  BySeed final_values(const Contender& contender, const std::string& metric) const;
  /// The same for the best values, which a diverged run has not either.
  BySeed best_values(const Contender& contender, const std::string& metric) const;
};

/// Joins folders of the same experiment; each comparison is in the order of the folders. A run whose optimizer and seed
/// were there before makes another contender, "... (2)".
std::vector<Comparison> join(std::vector<RunFolder> folders);

/// Of one folder.
Comparison read_comparison(const std::filesystem::path& folder);

/// Steps at which all runs that came to their end were evaluated: those nearest to a quarter, half and three quarters
/// of the last, and the last. Empty when there is but one.
std::vector<std::int64_t> equal_steps(const Comparison& comparison);

/// The values of a contender's runs that were measured at this step.
std::vector<double> values_at(const Comparison& comparison, const Contender& contender, std::int64_t step,
                              const std::string& metric);

}  // namespace tandem::report
