// Manifest: OUT/manifest.json, what a run folder's comparison is and which of its runs are finished. A resume reads it
// first: the command line comes from it, finished runs are skipped. Not here: the state inside a run
// (training_state.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "run_folder.h"

namespace tandem::examples {

struct Manifest {
  std::string program;
  std::vector<std::string> arguments;  ///< of the command line, without the program
  std::string command;                 ///< the same, quoted for a shell
  int threads = 0;                     ///< other bits come out with another number
  std::string data_checksum;           ///< of the training data, hexadecimal
  LogPosition position;                ///< after the last finished run
  std::vector<RunResult> finished;
};

/// OUT/manifest.json.
std::filesystem::path manifest_path(const std::filesystem::path& folder);

void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);

/// Throws Error naming the file when there is none (it is not a run folder), or it cannot be read.
Manifest read_manifest(const std::filesystem::path& folder);

/// A run's metrics as one line of JSON and back: finite numbers in the shortest form that reads back the same.
std::string metrics_text(const Metrics& metrics);
Metrics parse_metrics(const std::string& text);

}  // namespace tandem::examples
