// The folder of a program that measures and trains nothing (quadratic, landscape, stability): it belongs to the program
// where its own JSON file says so. Not here: run folders, which have runs (run_folder.h).
#pragma once

#include <filesystem>
#include <string>

#include "run_folder.h"

namespace tandem::train {

/// Whose a result is: a JSON file in its folder whose "tandem" is `format`.
struct ResultKind {
  std::string program;  ///< "landscape"
  std::string format;   ///< "landscape 1"
  std::string file;     ///< "landscape.json"
};

/// A result of this kind lies in the folder.
bool is_result(const std::filesystem::path& folder, const ResultKind& kind);

/// The folder of a new result, locked, and removed again where nothing is kept in it. `path` is new or empty, or, with
/// `overwrite`, one with a result, which stays as it is until the program writes. Empty: runs/PROGRAM-TIME. Throws
/// UsageError that says what lies there.
RunFolder claim_result(const std::filesystem::path& path, const ResultKind& kind, bool overwrite,
                       const std::string& executable);

/// The folder of a result to go on with, locked. Throws UsageError when none lies there.
RunFolder open_result(const std::filesystem::path& path, const ResultKind& kind);

}  // namespace tandem::train
