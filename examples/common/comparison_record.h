// ComparisonRecord: a comparison read back from its run folder: what the report shows. Not here: writing the folder
// (run_folder.h), HTML (report_comparison.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "pictures.h"
#include "run_folder.h"

namespace tandem::examples {

/// A row of metrics.csv.
struct EpochRow {
  std::int64_t epoch = 0, step = 0;
  Metrics metrics;
};

/// A finished run.
struct RunRecord {
  RunResult result;
  std::vector<EpochRow> rows;
  std::vector<Picture> pictures;
};

struct ComparisonRecord {
  Configuration configuration;
  std::vector<std::string> machines;  ///< processor, instruction set, threads, libraries; each once
  std::vector<std::string> commands;  ///< one a folder
  std::vector<RunRecord> runs;
  std::vector<Picture> input_pictures;

  std::vector<RunResult> results() const;
};

/// Reads summary.json, metrics.csv and the pictures. A number that is null or empty was not measured: NaN. Throws Error
/// naming the file that is missing or cannot be read.
ComparisonRecord read_comparison(const std::filesystem::path& folder);

/// True when both trained the same model on the same data with equal length, batch, schedule and precision: their runs
/// belong into one table.
bool belong_together(const ComparisonRecord& a, const ComparisonRecord& b);

/// Adds the runs of `more` to those of `record`.
void append(ComparisonRecord& record, const ComparisonRecord& more);

/// One optimizer of a comparison and its runs, by number.
struct Contender {
  std::string optimizer;  ///< in full
  std::string name;       ///< short, different from the others'
  std::vector<std::size_t> runs;
};
/// In the order in which they first appear. The same optimizer with the same seed again is another contender.
std::vector<Contender> contenders_of(const std::vector<RunResult>& results);

/// The shortest of these that tells specs apart: the outermost rule ("lookahead"), all rules
/// ("lookahead(momentum)"), rules and the arguments that differ ("momentum lr=0.08"), the whole text, with " (2)" ...
std::vector<std::string> short_names(const std::vector<std::string>& specs);

}  // namespace tandem::examples
