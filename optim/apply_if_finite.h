// apply_if_finite: a step with a NaN or an infinity in its gradients is left out (optax.apply_if_finite). Nothing
// inside changes then: weights, moments, step counts, cycles. The optimizer's own count goes on, and with it schedules
// and the levels outside. All groups that have this level are looked at together: one bad gradient holds all of them.
//
// The state counts the steps left out: `rejected` in a row, `rejected_in_all`.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct ApplyIfFiniteOptions {
  std::int64_t max_consecutive = 5;  ///< after as many left out in a row, the next is taken as it is

  void fields(Fields& f) { f("max_consecutive", max_consecutive, {}); }
};

/// Example: apply_if_finite(lookahead(adam()), {.max_consecutive = 10}).
Rule apply_if_finite(const Rule& inner, const ApplyIfFiniteOptions& options = {});

}  // namespace tandem
