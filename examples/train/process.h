// Processes of the same or another program, by posix_spawn, so that nothing of this process (threads, locks) is in
// them. Not here: what they are for (jobs.h, replay.h).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace tandem::train {

struct ProcessOptions {
  std::vector<std::string> command;  ///< a path, and arguments
  /// Over those of this process.
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::filesystem::path output = {}, error = {};  ///< files; empty: as this process has them
};

/// Throws Error "WHERE: the program cannot be started: ...".
pid_t start_process(const ProcessOptions& options, const std::string& where);

/// Of waitpid: the exit code, or 128 + the signal.
int exit_code_of(int status);

/// The file of this process' program.
std::filesystem::path own_program();

}  // namespace tandem::train
