// outer_loop: k steps of an inner rule on the fast weights, then one step of an outer rule on the slow weights, whose
// gradient is the pseudo-gradient slow - fast; then fast <- slow.
//
//   outer_loop(inner, sgd({.lr = alpha}), {.k})   Lookahead, but for alpha = 1, which lookahead.h copies
//   outer_loop(inner, momentum({.lr = alpha, .momentum = beta}), {.k})
//       SlowMo (Wang et al. 2020), at constant inner lr; BMUF (Chen & Huo 2016) with lr = zeta, momentum = eta
//   outer_loop(adamw(), momentum({.lr = 0.7, .momentum = 0.9, .nesterov = true}), {.k})
//       DiLoCo (Douillard et al. 2023) with one worker; SNOO with lr = eta, momentum = mu
//
// With `workers` the pseudo-gradient is the mean over all workers of Optimizer::average_over: local SGD (lookahead with
// alpha = 1), SlowMo, DiLoCo. Inner state stays each worker's own.
//
// A sync of an outer loop restarts the cycles, and re-anchors the slow weights, of all loops inside it.
// At work: outer_loop.cpp.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct OuterLoopOptions {
  Schedule k = 5;                           ///< steps of the optimizer between two outer steps
  InnerState state = InnerState::maintain;  ///< of the inner rule at a sync
  Schedule mix = 0.5;                       ///< the factor of InnerState::interpolate, which has no alpha here
  bool workers = false;                     ///< the pseudo-gradient is the mean of all workers'

  void fields(Fields& f) {
    f("k", k, kCount, kAlways);
    f("state", state);
    f("mix", mix, {.high = 1});
    f("workers", workers);
  }
};

/// Any rule may be the outer one. Throws UsageError when k < 1 or mix is outside [0, 1].
Rule outer_loop(const Rule& inner, const Rule& outer, const OuterLoopOptions& options = {});

}  // namespace tandem
