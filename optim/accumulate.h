// accumulate: the inner rule steps every n-th step of the optimizer, on the mean of n gradients (optax.MultiSteps). A
// batch of n times the size without n times the memory; unlike several backwards before one step, each of the n is a
// step to the program, its callbacks and reports.
//
//   n - 1 steps    sum <- sum + g              nothing moves
//   the n-th       inner rule on (sum + g) / n
//
// Counters inside (bias corrections, k of a Lookahead) count the inner rule's steps; schedules everywhere count the
// optimizer's. Levels outside, a Lookahead round it, count the optimizer's steps. A parameter whose gradient arrived in
// only some of the n steps has zeros for the others, and moves if it arrived in any.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct AccumulateOptions {
  std::int64_t n = 4;  ///< read at the start of each step: a smaller one ends the sum early

  void fields(Fields& f) { f("n", n, {.low = 1}); }
};

/// Example: accumulate(lookahead(adam()), {.n = 8}).
Rule accumulate(const Rule& inner, const AccumulateOptions& options = {});

}  // namespace tandem
