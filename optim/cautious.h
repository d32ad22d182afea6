// cautious: only what agrees with the gradient (Liang, Chen, Liu, Liu 2024, "Cautious optimizers: improving training
// with one line of code", algorithm 1). With u = w' - w the update that the inner rule proposes, per parameter:
//
//   mask = u g < 0                                    the weight moves down the gradient of this step
//   w <- w + mask u / max(mean(mask), 0.001)
//
// u is all that the inner rule does, with its weight decay; the authors' AdamW leaves decay out of the mask.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

/// Example: lookahead(cautious(adamw({.lr = 1e-3})), {.k = 5}). Loops belong outside.
Rule cautious(const Rule& inner);

}  // namespace tandem
