// clip_update: no update of a parameter is larger than `max` in the root mean square (Shazeer & Stern 2018,
// "Adafactor", section 6, round any rule; optax.clip_by_block_rms). With u = w' - w the update that the inner rule
// proposes:
//
//   w <- w + u / max(1, RMS(u) / max)           RMS(u) = |u| / sqrt(number of weights), per parameter
//
// u is in units of weights: it has the learning rate in it, where Adafactor's own clipping comes before it.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

/// max > 0 (UsageError). Example: clip_update(adam({.lr = 1e-3}), 1e-3). Loops belong outside.
Rule clip_update(const Rule& inner, const Schedule& max);

}  // namespace tandem
