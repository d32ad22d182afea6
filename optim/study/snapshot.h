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

/// What a fork has taken over, by the names of the new optimizer's state: of a leaf, all or nothing. Averages of one
/// rule beside those that another begins would have bias corrections of two ages.
struct ForkReport {
  std::vector<std::string> taken;  ///< state of equal role in the snapshot
  std::vector<std::string> fresh;  ///< state that starts anew: zero, or at the weights
};

}  // namespace tandem
