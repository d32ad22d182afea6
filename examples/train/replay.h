// A run repeated, bit for bit: from the nearest checkpoint before a step, or from its start, by its own program with
// the options of its manifest, in a temporary folder; the run's folder is read alone. Not here: what is looked at
// meanwhile (step_trace.h); what it is for (fork.h, examples/explain).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "process.h"
#include "run_folder.h"
#include "step_trace.h"

namespace tandem::train {

/// A run inside a run folder.
struct RunReference {
  std::filesystem::path folder;  ///< of the comparison
  Manifest manifest;
  std::size_t number = 0;  ///< of the run in the manifest

  const PlannedRun& planned() const { return manifest.planned[number]; }
  std::filesystem::path path() const { return folder / planned().name; }
};

/// OUT/NAME, or OUT where it holds one run. Throws UsageError "WHERE: ..." when it is none, or one of several.
RunReference find_run(const std::filesystem::path& path, const std::string& where);

/// The step that a run has come to: where it ended, else that of its checkpoint; 0 when there is none.
std::int64_t last_step(const RunReference& run);
/// The step that a run began at: 0, or that of the state it was forked from.
std::int64_t first_step(const RunReference& run);
/// Throws UsageError "WHERE: ..." unless the run has taken this step.
void check_step(const RunReference& run, std::int64_t step, const std::string& where);

/// A checkpoint of the run, or what it was forked from, of step `most` or before; nothing where it goes from the start.
struct Beginning {
  std::filesystem::path path;
  std::int64_t step = 0;
  bool is_fork = false;
};
std::optional<Beginning> nearest_beginning(const RunReference& run, std::int64_t most);

/// A run in a temporary folder of its own, which goes with this.
class Replay {
 public:
  /// `program`: the file that is started.
  Replay(const RunReference& run, const std::filesystem::path& program);
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  /// For files of a request.
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  /// Lays the checkpoint that `request` goes on from and writes the request, with `run` and `ends` filled in: what
  /// run() starts then.
  ProcessOptions prepare(TraceRequest request);
  /// Repeats what `request` needs and waits for it. Where the program warns, so does this. Throws Error with the last
  /// line of what the program said when it failed.
  void run(const TraceRequest& request);
  /// The step that the last run() went on from; 0: from the start.
  std::int64_t from() const { return from_; }
  /// From now on run() may go on from a state that a request saved.
  void use(const std::filesystem::path& checkpoint);

 private:
  void put_checkpoint(std::int64_t most);

  RunReference run_;
  std::filesystem::path program_, folder_;
  std::optional<Beginning> saved_;
  std::int64_t from_ = 0;
};

/// The file of the program that made a run, from its manifest; where it is not there any more, one of that name in
/// `beside`. Throws Error saying what was looked for.
std::filesystem::path program_of(const Manifest& manifest, const std::filesystem::path& beside);

}  // namespace tandem::train
