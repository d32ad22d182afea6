// schedule_free: no schedule and no horizon, an average in place of both (Defazio, Yang, Mehta, Mishchenko, Khaled,
// Cutkosky 2024, "The road less scheduled", algorithm 1; optax.contrib.schedule_free). Three sequences: gradients are
// taken at y, which are the weights in training; the inner rule moves z; x is the average to evaluate on.
//
//   u = what the inner rule does to y with g(y)           its weight decay and norms are of y
//   z <- z + u
//   x <- x + c (z - x)                                    c = s_t^2 / sum of all s^2 so far
//   y <- z + beta (x - z)
//
// s_t = min(1, t / warmup) is the learning rate of step t = 1, 2, ... in parts of its largest: give the inner rule's lr
// the same linear warm-up. Without one x is the mean of z. Round sgd and adamw (with beta1 = 0) it is the authors' SGD
// and AdamW, whose default is beta = 0.9.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct ScheduleFreeOptions {
  Schedule beta = 0.9;  ///< how near the average gradients are taken; 1 is primal averaging, 0 Polyak's
  Schedule warmup = 0;  ///< steps of the inner rule's linear warm-up

  void fields(Fields& f) {
    f("beta", beta, {.high = 1}, kAlways);
    f("warmup", warmup, {.is_whole = true});
  }
};

/// evaluation_weights() shows x. Loops belong outside; where one pulls y, z and x move along.
/// Example: schedule_free(adamw({.lr = 2.5e-3, .beta1 = 0})).
Rule schedule_free(const Rule& inner, const ScheduleFreeOptions& options = {});

}  // namespace tandem
