// Jobs: runs of a comparison in processes of their own, several at a time. Each is this program again with --resume and
// one run to do, which writes nothing but that run's folder. Not here: which runs there are (comparison.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tandem::train {

/// The number of the run that this process is to do; nothing in the process that a person started.
std::optional<std::size_t> run_of_this_process();

struct JobsOptions {
  std::filesystem::path folder;
  std::vector<std::size_t> runs;
  std::int64_t at_a_time = 1;
  std::vector<std::string> arguments;  ///< beside --resume: CommandLine::arguments_of_jobs()
};

struct JobsResult {
  int exit_code = 0;    ///< of the first process that failed
  std::size_t run = 0;  ///< which that was
};

/// Waits for all. After a failure no further run is begun; those that go on come to their end. A signal that this
/// process got is passed on to them.
JobsResult run_jobs(const JobsOptions& options);

}  // namespace tandem::train
