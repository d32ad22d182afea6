// clip_norm, clip_value: change gradients on their way to a rule. The gradients that the user sees stay as they are.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

/// g <- g min(1, max / |g|), with |g| the 2-norm over all gradients of the group that arrived, summed in double in a
/// fixed order. max > 0 (UsageError). Example: clip_norm(lookahead(adam()), 1.0).
Rule clip_norm(const Rule& inner, const Schedule& max);

/// g <- clamp(g, -max, max), elementwise. max > 0 (UsageError).
Rule clip_value(const Rule& inner, const Schedule& max);

}  // namespace tandem
