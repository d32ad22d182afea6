// profile.json and trace.json of a run, with --profile: where its time went, and what is unusual, in words.
//
//   {"tandem": "profile 1", "machine", "software", "threads", "steps", "warm_up_steps", "seconds",
//    "roof": {"gflops", "bf16_gflops", "gbytes"}, "peak_mb", "primitives", "allocations",
//    "processors": {"count", "seconds", "own", "others", "stolen", "preemptions"}, "findings": ["..."],
//    "phases": [{"phase", "wall", "processors", "kernels"}],
//    "rows": [{"layer", "op", "kernel", "implementation", "phase", "dtype", "elsewhere", "calls", "seconds",
//              "operations", "bytes", "roof_seconds", "repacks", "repack_seconds", "primitives", "allocations"}]}
//
// roof_seconds is the least that the roof allows. trace.json is in Chrome's format: ui.perfetto.dev opens it. Not here:
// tables (report/profile.h), what is taken down (core/profile.h), how weights move in a step (step_trace.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tandem/core/profile_report.h>
#include <tandem/core/roof.h>

namespace tandem::train {

inline constexpr const char* kProfileFile = "profile.json";
inline constexpr const char* kTraceFile = "trace.json";

/// What is unusual, a sentence each; nothing where nothing is.
std::vector<std::string> findings(const profile::Report& report, const Roof& roof);

std::string profile_json(const profile::Report& report, const Roof& roof);

/// The spans of a profile as "traceEvents": complete events ("ph": "X") of phases, steps, layers, ops, kernels.
std::string trace_json(const profile::Report& report);

/// A profile of what is done while this lives: begun here, ended by finish().
class ProfileLog {
 public:
  /// Measures the roof, then begins.
  ProfileLog();
  ~ProfileLog();
  ProfileLog(const ProfileLog&) = delete;
  ProfileLog& operator=(const ProfileLog&) = delete;

  /// Ends it; writes both files. Returns profile.json's text.
  std::string finish(const std::filesystem::path& folder);
  /// Ends it without a file.
  std::string finish();

 private:
  profile::Report stop();
  Roof roof_;
  bool is_open_ = true;
};

}  // namespace tandem::train
