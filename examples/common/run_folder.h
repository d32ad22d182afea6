// RunFolder: what a program leaves behind. Files that describe results are written whole; metrics.csv and the events
// grow by one row an epoch. Nothing appears before there is something to say.
//
//   OUT/summary.json                   every finished run, with the configuration
//   OUT/metrics.csv                    a row an epoch
//   OUT/events.out.tfevents.*          the same scalars for TensorBoard, tags METRIC/RUN
//   OUT/manifest.json                  the command line and the finished runs, for --resume (manifest.h)
//   OUT/report.html                    all of this to look at (report.h)
//   OUT/pictures, OUT/RUN/pictures     what the report shows of the data and of a run (pictures.h)
//   OUT/RUN/model.safetensors          evaluation weights and buffers of a run
//   OUT/RUN/checkpoint.safetensors     where a run stands (training_state.h), and the one before
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <tandem/core/safetensors.h>
#include <tandem/nn/module.h>

#include "event_file.h"
#include "metrics.h"
#include "pictures.h"

namespace tandem::examples {

/// One optimizer with one seed.
struct Run {
  std::string name;       ///< "2-lookahead-momentum-seed0": its folder, and "run" in tables
  std::string optimizer;  ///< as describe() prints the rule
  std::uint64_t seed = 0;
};

struct RunResult {
  Run run;
  std::int64_t epochs = 0;  ///< begun
  std::int64_t steps = 0;
  double seconds = 0;              ///< with evaluations
  double examples_per_second = 0;  ///< of training, without evaluations
  Metrics final_metrics, best_metrics;
};

/// How much of metrics.csv and of which events file belongs to the past.
struct LogPosition {
  std::int64_t table_bytes = 0, events_bytes = 0;
  std::string events_file = {};  ///< its name; empty before the first row
};

/// What all runs of a comparison share.
struct Configuration {
  std::string program, command, dataset, model;
  std::string data;    ///< the data set in one line, with its sizes
  std::string metric;  ///< the one that best values and sentences are about
  std::int64_t parameters = 0, batch = 0;
  std::string schedule, precision;
  int threads = 0;
};

class RunFolder {
 public:
  /// Makes the folder; what an earlier comparison left in it under the names above is removed, models excepted.
  /// Throws Error when the folder cannot be written.
  explicit RunFolder(std::filesystem::path path);
  /// Goes on with the folder of an interrupted comparison: metrics.csv and the events are cut back to `position`.
  /// Throws Error when they are shorter.
  RunFolder(std::filesystem::path path, const LogPosition& position);
  /// Removes the folders that were made here and stayed empty.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// A row of metrics.csv and the scalars of the events. The first row fixes the columns.
  void add_epoch(const Run& run, std::int64_t epoch, std::int64_t step, const Metrics& metrics);
  /// The state dict as it stands, with PyTorch's names and order. Throws Error when a value is not finite: such a
  /// model is not worth a file.
  void save_model(const Run& run, const nn::Module& model, const Metadata& metadata);
  /// Replaces the pictures of a run.
  void save_pictures(const Run& run, const std::vector<Picture>& pictures);
  /// Replaces the pictures of the data.
  void save_pictures(const std::vector<Picture>& pictures);
  /// Where the next row will go.
  LogPosition position() const;
  /// Makes the folder of a run. Throws Error.
  std::filesystem::path make_run_folder(const Run& run);
  /// Replaces summary.json.
  void write_summary(const Configuration& configuration, const std::vector<RunResult>& results);

 private:
  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // outermost first
  std::unique_ptr<LogFile> table_;
  std::unique_ptr<EventFile> events_;
};

/// "runs/cifar-20260314-150926", with "-2" ... when that exists.
std::filesystem::path default_run_folder(const std::string& program);

/// A short name for a run: number of the optimizer, the rules in it from the outside, the seed.
std::string run_name(std::size_t number, const std::string& optimizer, std::uint64_t seed);

}  // namespace tandem::examples
