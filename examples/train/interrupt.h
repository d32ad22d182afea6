// Ctrl-C, a closed terminal, a request to end: the first one asks the training loop to finish its step, write its
// checkpoint and end; a second one ends at once. Not here: what is written (checkpoint.h).
#pragma once

#include <stdexcept>
#include <string>

namespace tandem::train {

/// Thrown when a run was interrupted and everything is saved; what() is the line that says how to go on.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// While one lives, SIGINT, SIGTERM and SIGHUP are noted instead of ending the process; the second one ends it. SIGPIPE
/// and SIGXFSZ are left to the calls that meet them, from then on.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

/// The signal that came since the last guard was made; 0: none. Programs end with 128 + it.
int interrupt_signal();

}  // namespace tandem::train
