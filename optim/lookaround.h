// lookaround: k steps around, 1 step average (Zhang, Liu, Song, Zhu, Xu, Song 2023, "Lookaround optimizer: k steps
// around, 1 step average", algorithm 1). Copies of the weights start together, each goes its own way on an augmentation
// of its own, and their mean is where all start again:
//
//   every step:   w_i <- inner rule i on the gradient at w_i        i = 0, ..., copies - 1, each with a state of its
//   own every k steps (a sync):   slow <- mean of w_i,  w_i <- slow
//
// The optimizer's weights are copy 0. Needs step(closure), which is called once for each copy, with that copy's weights
// in the parameters: Optimizer::copy() says whose. Copies that see the same stay equal, and are the inner rule at
// `copies` times its price; so the closure augments the batch by copy(), and what the model draws at random (dropout)
// is drawn for each copy anew.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct LookaroundOptions {
  std::int64_t copies = 3;
  Schedule k = 5;                           ///< steps of the optimizer in a cycle
  InnerState state = InnerState::maintain;  ///< of the inner rules at a sync: maintain (the authors' code) or reset

  void fields(Fields& f) {
    f("copies", copies, {.low = 2, .high = 64, .is_whole = true});
    f("k", k, kCount, kAlways);
    f("state", state);
  }
};

/// evaluation_weights() shows the last mean. Loops belong outside or inside, their k a multiple or a part of this k: a
/// pull from outside in mid-cycle is of copy 0, and starts all copies from there. Rules that change gradients or
/// updates, and steps (accumulate, apply_if_finite), belong inside, where they are of each copy; outside they are an
/// error, as is a lookaround in another. Batch-norm statistics are copy 0's. Memory: 2 (copies - 1) + 1 numbers a
/// weight, and the inner rule's state for each copy.
/// Example: lookaround(momentum({.lr = 0.1}), {.copies = 3, .k = 5}).
Rule lookaround(const Rule& inner, const LookaroundOptions& options = {});

}  // namespace tandem
