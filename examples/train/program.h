// How every program ends: an exception becomes one line on standard error and an exit code.
//
//   int main(int argc, char** argv) try {
//     ...
//   } catch (...) {
//     return train::end_by_exception();
//   }
//
// And Ctrl-C, a closed terminal, a request to end: the first one asks the training loop to finish its step, write its
// checkpoint and end; a second one ends at once. Not here: the command line (command_line.h), training (run.h).
#pragma once

#include <stdexcept>
#include <string>

namespace tandem::train {

inline constexpr int kExitDone = 0;      ///< done, also after --help
inline constexpr int kExitError = 1;     ///< anything else: data, files, training
inline constexpr int kExitUsage = 2;     ///< the command line is wrong
inline constexpr int kExitDiverged = 3;  ///< every run diverged

/// Inside a catch block: prints what the exception says, in one line. The exit code: 128 + the signal's number after
/// Ctrl-C, kExitUsage for a UsageError, kExitError for any other exception.
int end_by_exception();

/// Thrown when a run was interrupted and everything is saved; what() is the line that says how to go on.
class Interrupted : public std::runtime_error {
 public:
  /// `signal`: which one, where it came to another rank; 0: interrupt_signal().
  explicit Interrupted(const std::string& line, int signal = 0);
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// While one lives, SIGINT, SIGTERM and SIGHUP are noted instead of ending the process; the second one ends it, unless
/// mpirun has started it, which sends several. One inside another changes nothing. SIGPIPE and SIGXFSZ are left to the
/// calls that meet them, from then on.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

/// The signal that came since the outermost guard was made; 0: none. Programs end with 128 + it.
int interrupt_signal();

}  // namespace tandem::train
