// Manifest: OUT/manifest.json, what a comparison is: its options as they were resolved, its data, its runs. It is
// written once, before the first step. And run.json of each run, how that one ended. What lies in a run folder and is
// in neither is not Tandem's. Not here: the folder itself (run_folder.h), the state inside a run (checkpoint.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tandem/report/metrics.h>

#include "sweep.h"

namespace tandem::train {

using report::Metrics;
using Texts = std::vector<std::pair<std::string, std::string>>;

/// What all runs of a comparison share; a program says it, and the report shows it.
struct Experiment {
  std::string dataset;  ///< its name: "cifar10"
  std::string data;     ///< "cifar10: 50,000 training and 10,000 test images 3x32x32 in 10 classes"
  std::string
      data_checksum;  ///< of the training data, hexadecimal: a checkpoint goes on only with the data it was made with
  std::string model;
  std::string metric;   ///< the one that is compared, and shown while training
  std::string watched;  ///< what plateau, best weights and patience look at; empty: `metric`
  std::int64_t steps_per_epoch = 0;
};

inline const std::string& watched_metric(const Experiment& e) { return e.watched.empty() ? e.metric : e.watched; }

/// A run of the comparison: an optimizer with a seed.
struct PlannedRun {
  std::string name;  ///< of its folder: "k=5-alpha=0.2-seed0"
  std::string label, optimizer;
  Texts arguments;  ///< of the optimizer: "rule", "k", "lr" ...; those of a sweep under the names of its axes
  std::uint64_t seed = 0;
};

struct Manifest {
  std::string program, command;
  std::vector<std::string> arguments;  ///< CommandLine::resolved_arguments()
  Texts options;                       ///< CommandLine::resolved()
  Experiment experiment;
  std::int64_t parameters = 0, total_steps = 0;
  int threads = 0;  ///< of each run: other bits come out with another number
  std::string machine, software;
  std::vector<PlannedRun> runs;
  std::vector<SweepAxis> sweep;
};

enum class RunStatus { finished, stopped, diverged, interrupted };

struct SavedPicture {
  std::string figure, row, caption, file;
};

/// How a run ended.
struct RunRecord {
  RunStatus status = RunStatus::finished;  ///< stopped: by patience
  std::int64_t step = 0, epochs = 0, parameters = 0;
  double seconds = 0, examples_per_second = 0;
  std::string reason;   ///< of a diverged run
  Metrics final, best;  ///< of a diverged run those before it diverged
  std::vector<SavedPicture> pictures;

  bool is_over() const { return status != RunStatus::interrupted; }
};

std::filesystem::path manifest_path(const std::filesystem::path& folder);
void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
/// Nothing in the file is trusted: names of runs are plain names. Throws Error naming the file when there is none (it
/// is not a run folder), or it is not a manifest.
Manifest read_manifest(const std::filesystem::path& folder);
/// The folder whose manifest a path belongs to: itself, or the one above when it is the folder of a run.
std::filesystem::path comparison_of(const std::filesystem::path& path);
/// A manifest of Tandem lies there.
bool is_run_folder(const std::filesystem::path& folder);

void write_run_record(const std::filesystem::path& run_folder, const RunRecord& record);
/// Nothing when the run has not ended. Throws Error when the file is no record.
std::optional<RunRecord> read_run_record(const std::filesystem::path& run_folder);

/// OUT/pictures.json: those of the data.
void write_pictures(const std::filesystem::path& folder, const std::vector<SavedPicture>& pictures);

/// OUT/summary.json, from the manifest and the runs that are over.
void write_summary(const std::filesystem::path& folder, const Manifest& manifest);

/// Metrics as one line of JSON and back, exactly; what is not finite as "inf", "-inf", "nan".
std::string metrics_text(const Metrics& metrics);
Metrics parse_metrics(const std::string& text);

/// True for a name without '/', and neither "." nor "..": what names in a manifest must be, so that none leads out.
bool is_plain_name(std::string_view name);

}  // namespace tandem::train
