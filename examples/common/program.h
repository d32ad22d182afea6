// How every program starts and ends: run_program turns exceptions into one line on standard error and an exit code.
// Not here: the command line (options.h), training (experiment.h).
#pragma once

#include <functional>

namespace tandem::examples {

inline constexpr int kExitDone = 0;   ///< done, also after --help
inline constexpr int kExitError = 1;  ///< anything else: data, files, training
inline constexpr int kExitUsage = 2;  ///< the command line is wrong

/// Calls body() and returns its exit code: what it returns, or kExitInterrupted after Ctrl-C (interrupt.h), kExitUsage
/// on UsageError, or kExitError on any other exception, each with one line on standard error.
int run_program(const std::function<int()>& body);

}  // namespace tandem::examples
