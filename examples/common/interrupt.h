// Ctrl-C: the first one asks the training loop to finish its step, write its checkpoint and end; a second one ends at
// once. Not here: what is written (training_state.h).
#pragma once

#include <stdexcept>
#include <string>

namespace tandem::examples {

inline constexpr int kExitInterrupted = 130;

/// Thrown when a run was interrupted and everything is saved; what() is the line that says how to go on.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// While one lives, SIGINT and SIGTERM set a flag instead of ending the process.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool is_interrupted();
};

}  // namespace tandem::examples
