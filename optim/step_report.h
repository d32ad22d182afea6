// What an Optimizer tells of a step (Optimizer::watch_steps, last_step) and of a sync (on_sync).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tandem {

/// One loop of a rule (lookahead.h, outer_loop.h) in a step.
struct LevelReport {
  std::string name;       ///< "lookahead", "outer_loop" or "lookaround"
  std::size_t group = 0;  ///< of the Optimizer
  bool synced = false;    ///< its slow weights stepped
  double alpha = 0;     ///< lookahead: the pull, as chosen when adaptive; outer_loop: the outer rule's lr, NaN when it
                        ///< has none. NaN in a step without a sync
  double distance = 0;  ///< |fast - slow| after the update of its inner rule, before its own pull
};

/// Norms are over all elements of all groups, summed in double.
struct StepReport {
  std::int64_t step = 0;     ///< steps so far, this one included
  double loss = 0;           ///< of the closure, at the weights before the step; NaN in a step without one
  double lr = 0;             ///< of the first leaf that has one, in this step; NaN when none has
  double gradient_norm = 0;  ///< of the gradients as they arrived; those that did not are left out
  double update_norm = 0;    ///< |w after - w before|, of the inner rule of the outermost loop (with the syncs of loops
                             ///< inside it, before the pull of the outermost); of the whole rule when it has no loop
  double clip_factor = 1;    ///< what clip_norm multiplied the gradient by: the product of several in one rule, the
                             ///< least over groups; 1 without clipping, NaN when the norm was
  std::vector<LevelReport> levels;  ///< group by group, the outermost loop first; loops of outer rules are left out
};

/// A sync that is about to happen: the inner rule has moved the weights, slow weights have not stepped yet.
struct SyncEvent {
  std::int64_t step = 0;            ///< steps so far, this one included
  std::size_t level = 0;            ///< of the loop: 0 is the outermost
  std::string name;                 ///< of the loop: "lookahead", "outer_loop" or "lookaround"
  std::vector<std::size_t> groups;  ///< the groups in which it is about to happen
};

}  // namespace tandem
