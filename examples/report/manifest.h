// Manifest: manifest.json of a run folder, what a comparison is: its options as they were resolved, its data, its runs;
// written once, before the first step. And run.json of each run, how that one ended. Written by examples/train, read by
// it and here; nothing that is read is trusted. Not here: the tables of the runs (record.h), who owns a folder
// (train/run_folder.h), the state inside a run (train/checkpoint.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "metrics.h"

namespace tandem::report {

/// Names and texts, in the order of the file.
using Texts = std::vector<std::pair<std::string, std::string>>;

/// The text of a name; empty when it is not there.
std::string text_of(const Texts& texts, std::string_view name);

/// What all runs of a comparison share; a program says it, and the report shows it.
struct Experiment {
  std::string dataset;  ///< its name: "cifar10"
  std::string data;     ///< "cifar10: 50,000 training and 10,000 test images 3x32x32 in 10 classes"
  std::string
      data_checksum;  ///< of the training data, hexadecimal: a checkpoint goes on only with the data it was made with
  std::string model;
  std::string metric;                  ///< the one that is compared, and shown while training
  std::string watched;                 ///< what plateau, best weights and patience look at; empty: `metric`
  std::int64_t batches_per_epoch = 0;  ///< not in the file, which has steps
};

inline const std::string& watched_metric(const Experiment& e) { return e.watched.empty() ? e.metric : e.watched; }

/// A run of the comparison: an optimizer with a seed.
struct PlannedRun {
  std::string name;       ///< of its folder: "k=5-alpha=0.2-seed0"
  std::string label;      ///< what tells its optimizer from the others
  std::string optimizer;  ///< in full
  Texts arguments;        ///< of the optimizer: "rule", "k", "lr" ...; those of a sweep under the names of its axes
  std::uint64_t seed = 0;
};

/// A list of values in a spec, which the report draws as an axis.
struct SweepAxis {
  std::string name;
  std::vector<std::string> values;
};

struct Manifest {
  std::string program, command, created;  ///< created: when it was first written
  std::string executable;                 ///< the file of the program, absolute; empty where it was not kept
  std::vector<std::string> arguments;     ///< that give the options again
  Texts options;                          ///< all that make two runs the same experiment
  Experiment experiment;
  std::int64_t parameters = 0;
  std::int64_t steps_per_epoch = 0, total_steps = 0;  ///< a step has --accumulate batches
  int threads = 0;                                    ///< of each run: other bits come out with another number
  int ranks = 1;                                      ///< processes that each run is divided among
  std::string machine, software;
  std::vector<PlannedRun> planned;
  std::vector<SweepAxis> sweep;
};

enum class RunStatus { finished, stopped, diverged, interrupted };  ///< stopped: by patience

/// A grid or a row of images. Pictures of one figure are shown under each other, those of the data first.
struct Picture {
  std::string figure, row, caption, file;
  std::string png;  ///< the bytes of a PNG file, where they are needed
};

/// How a run ended.
struct RunResult {
  RunStatus status = RunStatus::finished;
  std::int64_t step = 0;
  double epochs = 0, seconds = 0, examples_per_second = 0;
  std::int64_t parameters = 0;
  std::string reason;   ///< of a diverged run
  Metrics final, best;  ///< of a diverged run those before it diverged
  std::vector<Picture> pictures;

  bool is_over() const { return status != RunStatus::interrupted; }
  bool is_diverged() const { return status == RunStatus::diverged; }
  /// Came to its end: finished, or stopped by patience.
  bool is_complete() const { return is_over() && !is_diverged(); }
};

void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
/// Throws Error naming the file and what is wrong with it: there is none (it is not a run folder), it is damaged or not
/// a manifest, the name of a run is not plain or there twice.
Manifest read_manifest(const std::filesystem::path& folder);
/// A manifest of Tandem lies there.
bool is_run_folder(const std::filesystem::path& folder);

void write_run_result(const std::filesystem::path& folder, const std::string& run, const RunResult& result);
/// Nothing when the run has not ended. Throws Error when the file is no result.
std::optional<RunResult> read_run_result(const std::filesystem::path& folder, const std::string& run);

/// OUT/pictures.json: those of the data; none where the file is not there.
void write_pictures(const std::filesystem::path& folder, const std::vector<Picture>& pictures);
std::vector<Picture> read_pictures(const std::filesystem::path& folder);

/// OUT/summary.json, from the manifest and the runs that are over.
void write_summary(const std::filesystem::path& folder, const Manifest& manifest);

/// Metrics as one line of JSON and back, exactly; what is not finite as "inf", "-inf", "nan".
std::string metrics_text(const Metrics& metrics);
Metrics parse_metrics(const std::string& text);

/// The experiment and the size of its model as names and texts.
Texts texts_of(const Manifest& manifest);

}  // namespace tandem::report
