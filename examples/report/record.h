// RunFolder: a run folder as a training program left it, read back: the manifest, and of every run that is over its
// result, metrics.csv, steps.csv, inner.csv, instruments.jsonl and pictures. Nothing in it is trusted (folder_files.h).
// Not here: which folders belong together (comparison.h), what is written of them (tables.h, page.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "csv.h"
#include "manifest.h"

namespace tandem::report {

/// What instruments.jsonl has beside its table: one entry a measurement, or a parameter.
struct InstrumentDetails {
  using Counts = std::vector<double>;                       ///< one a bin
  std::vector<std::string> bins, parameters;                ///< names
  std::vector<Counts> gradients;                            ///< elements of the gradient in each bin
  std::vector<Counts> gradients_weights;                    ///< bins of the gradient within bins of the weight
  std::vector<CsvTable> by_parameter;                       ///< step, then instruments
  std::vector<std::vector<Counts>> gradients_by_parameter;  ///< [parameter][measurement]
};

/// A run that is over, or was interrupted.
struct RunRecord : PlannedRun, RunResult {
  CsvTable metrics;      ///< step, epoch, then the metrics
  CsvTable steps;        ///< step, loss, lr ...; without rows where there is no steps.csv
  CsvTable inner;        ///< step, weights (0 fast, 1 slow), metrics; without rows where there is no inner.csv
  CsvTable instruments;  ///< step, then those of all parameters together; of instruments.jsonl
  std::string profile;   ///< profile.json as it stands; empty where there is none
  InstrumentDetails instrument_details;  ///< the same measurements, by parameter and bin
};

struct RunFolder : Manifest {
  std::filesystem::path path;
  std::vector<RunRecord> runs;
  std::vector<std::string> missing;  ///< names of runs that have no run.json: not begun, or still running
  std::vector<Picture> pictures;     ///< of the data
};

/// Throws Error naming the file and what is wrong with it: as read_manifest, and a file that is missing, damaged or too
/// large, a name or link that leads out of the folder.
RunFolder read_run_folder(const std::filesystem::path& folder);

}  // namespace tandem::report
