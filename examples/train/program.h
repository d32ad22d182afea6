// How every program ends: an exception becomes one line on standard error and an exit code.
//
//   int main(int argc, char** argv) try {
//     ...
//   } catch (...) {
//     return train::end_by_exception();
//   }
//
// Not here: the command line (command_line.h), training (run.h).
#pragma once

namespace tandem::train {

inline constexpr int kExitDone = 0;      ///< done, also after --help
inline constexpr int kExitError = 1;     ///< anything else: data, files, training
inline constexpr int kExitUsage = 2;     ///< the command line is wrong
inline constexpr int kExitDiverged = 3;  ///< every run diverged

/// Inside a catch block: prints what the exception says, in one line. The exit code: 128 + the signal's number after
/// Ctrl-C (interrupt.h), kExitUsage for a UsageError, kExitError for any other exception.
int end_by_exception();

}  // namespace tandem::train
