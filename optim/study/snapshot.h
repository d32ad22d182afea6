// Snapshot: weights and state of an Optimizer as they are, copied: to come back to, and to go on from with another
// rule.
//
//   const Snapshot before = optimizer.snapshot();
//   ...;                                     // a few steps
//   optimizer.restore(before);               // exactly as then
//   Optimizer other(copy->parameters(), lookahead(adam()));
//   const ForkReport report = other.fork(before);   // the same weights and moments under another rule
//
// Buffers of the model (running statistics, random states) are the model's own: nn::clone copies them.
#pragma once

#include <string>
#include <vector>

#include <tandem/core/io/safetensors.h>

namespace tandem {

struct Snapshot {
  std::string rule;
  NamedArrays weights;  ///< by parameter
  NamedArrays state;    ///< Optimizer::state_tree(), cloned
};

/// What a fork has taken over, by the names of the new optimizer's state. The step count of a leaf, for its bias
/// corrections, goes with its buffers: it starts anew where one of them does.
struct ForkReport {
  std::vector<std::string> taken;  ///< state of equal role in the snapshot
  std::vector<std::string> fresh;  ///< state that starts anew: zero, or at the weights
};

}  // namespace tandem
