// RunFolder: who owns a folder. It belongs to Tandem where a manifest of Tandem says so, and to one process at a time.
// Nothing is deleted that a run did not write under a name of its own.
//
//   OUT/manifest.json summary.json metrics.csv steps.csv report.html init.safetensors fork.safetensors
//       pictures.json pictures/*.png
//   OUT/RUN/run.json metrics.csv steps.csv inner.csv instruments.jsonl profile.json trace.json
//   events.out.tfevents.tandem *.safetensors pictures/*.png
//
// Not here: what the files say (report/manifest.h, record.h, checkpoint.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tandem/report/manifest.h>

namespace tandem::train {

using report::Experiment, report::Manifest, report::Metrics, report::Picture, report::PlannedRun, report::RunResult,
    report::RunStatus, report::Texts, report::is_run_folder, report::read_manifest, report::read_run_result,
    report::watched_metric, report::write_manifest, report::write_pictures, report::write_run_result,
    report::write_summary;

/// In OUT: a copy of the model that --init names, from which every run of the folder starts, also when it is resumed.
inline constexpr const char* kInitFile = "init.safetensors";

/// In OUT: the state that all runs of the folder start from, when they were forked (fork.h).
inline constexpr const char* kForkFile = "fork.safetensors";

class RunFolder {
 public:
  /// A new one, made here, with an exclusive lock. A folder that is there must be empty; with `overwrite` it may be a
  /// run folder, whose files are then deleted. Throws UsageError saying what lies there and what to do.
  static RunFolder create(const std::filesystem::path& path, bool overwrite, const std::string& executable);
  /// runs/PROGRAM-TIME, with -2, -3 ... where another process has it.
  static RunFolder create_default(const std::string& program);
  /// One that exists, to go on in it. Throws Error when another process holds it.
  static RunFolder open(const std::filesystem::path& path);

  /// Removes what was made, when nothing was kept; gives the lock back.
  ~RunFolder();
  RunFolder(RunFolder&& other) noexcept;
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// From now on the folder stays: there is something to go on from.
  void keep() { is_kept_ = true; }

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  void lock();

  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // outermost first
  bool is_kept_ = false, is_new_ = false;
  int lock_ = -1;
};

/// Deletes what a comparison wrote into a folder, by the names in its manifest, and folders that are empty then.
void remove_run_files(const std::filesystem::path& folder);

/// The folder whose manifest a path belongs to: itself, or the one above when it is the folder of a run.
std::filesystem::path comparison_of(const std::filesystem::path& path);

}  // namespace tandem::train
