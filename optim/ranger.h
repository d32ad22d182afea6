// ranger: a name for a composition (Wright 2019, "Ranger: a synergistic optimizer"): RAdam on centralized gradients,
// with Lookahead round it. It is nothing of its own: describe() prints what it is made of.
#pragma once

#include <tandem/optim/centralize.h>
#include <tandem/optim/lookahead.h>
#include <tandem/optim/radam.h>

namespace tandem {

struct RangerOptions {
  Schedule lr = 1e-3;
  Schedule k = 6;
  Schedule alpha = 0.5;
};

/// lookahead(centralize(radam(lr, beta1=0.95, eps=1e-5)), k, alpha), the author's defaults.
inline Rule ranger(const RangerOptions& options = {}) {
  return lookahead(centralize(radam({.lr = options.lr, .beta1 = 0.95, .eps = 1e-5})),
                   {.k = options.k, .alpha = options.alpha});
}

}  // namespace tandem
