// RunFolder: a run folder as a training program left it, read back: manifest.json, and of every run that is over
// run.json, metrics.csv, steps.csv, inner.csv, instruments.jsonl and pictures. Nothing in it is trusted
// (folder_files.h). Not here: which folders belong together (comparison.h), what is written of them (tables.h, page.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "csv.h"
#include "metrics.h"

namespace tandem::report {

/// Names and texts, in the order of the file.
using Texts = std::vector<std::pair<std::string, std::string>>;

/// The text of a name; empty when it is not there.
std::string text_of(const Texts& texts, std::string_view name);

/// A grid or a row of images. Pictures of one figure are shown under each other, those of the data first.
struct Picture {
  std::string figure, row, caption;
  std::string png;  ///< the bytes of a PNG file
};

/// What instruments.jsonl has beside its table: one entry a measurement, or a parameter.
struct InstrumentDetails {
  using Counts = std::vector<double>;                       ///< one a bin
  std::vector<std::string> bins, parameters;                ///< names
  std::vector<Counts> gradients;                            ///< elements of the gradient in each bin
  std::vector<Counts> gradients_weights;                    ///< bins of the gradient within bins of the weight
  std::vector<CsvTable> by_parameter;                       ///< step, then instruments
  std::vector<std::vector<Counts>> gradients_by_parameter;  ///< [parameter][measurement]
};

enum class Status { kFinished, kDiverged, kInterrupted, kStopped };

/// A run that is over, or was interrupted.
struct RunRecord {
  std::string name;       ///< of its folder
  std::string label;      ///< what tells its optimizer from the others of its folder
  std::string optimizer;  ///< in full
  Texts arguments;
  std::uint64_t seed = 0;

  Status status = Status::kFinished;
  std::int64_t step = 0;
  double epochs = 0, seconds = 0, examples_per_second = 0;
  std::int64_t diverged_step = 0;  ///< of a diverged run
  std::string diverged_reason;
  Metrics final_metrics, best_metrics;

  CsvTable metrics;      ///< step, epoch, then the metrics
  CsvTable steps;        ///< step, loss, lr ...; without rows where there is no steps.csv
  CsvTable inner;        ///< step, weights (0 fast, 1 slow), metrics; without rows where there is no inner.csv
  CsvTable instruments;  ///< step, then those of all parameters together; of instruments.jsonl
  InstrumentDetails instrument_details;  ///< the same measurements, by parameter and bin
  std::vector<Picture> pictures;

  bool is_diverged() const { return status == Status::kDiverged; }
  /// Came to its end: finished, or stopped by patience.
  bool is_over() const { return status == Status::kFinished || status == Status::kStopped; }
};

/// An axis of a sweep: an argument and its values.
struct SweepAxis {
  std::string name;
  std::vector<std::string> values;
};

struct RunFolder {
  std::filesystem::path path;
  std::string program, command;
  Texts experiment;  ///< dataset, data, data_checksum, model, parameters, metric, metrics
  Texts options;
  std::string metric;  ///< the main one
  int threads = 0;
  std::string machine, software, created;
  std::int64_t steps_per_epoch = 0, total_steps = 0;
  std::vector<SweepAxis> sweep;
  std::vector<RunRecord> runs;
  std::vector<std::string> missing;  ///< names of runs that have no run.json: not begun, or still running
  std::vector<Picture> pictures;     ///< of the data
};

/// True when the folder has a manifest.json; nothing is said of its content.
bool is_run_folder(const std::filesystem::path& folder);

/// Throws Error naming the file and what is wrong with it: a folder without a manifest of Tandem, a file that is
/// missing, damaged or too large, a name or link that leads out of the folder.
RunFolder read_run_folder(const std::filesystem::path& folder);

}  // namespace tandem::report
