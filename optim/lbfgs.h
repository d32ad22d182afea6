// lbfgs: Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization", algorithm 2.1, for
// whole batches: a step is one iteration, on a loss that is the same function in every step.
//
//   s = w - w_before,  y = g - g_before            kept, the newest `history` pairs, where <s, y> > 1e-10 |y|^2
//   d = -H g                                       H: the two-loop recursion on the pairs, from <s, y> / <y, y> I
//   w <- w + t d
//
// t begins at lr (without pairs at lr min(1, 1 / |g|)). With line_search it is the first of a falling series with
// f(w + t d) <= f(w) + c1 t <g, d>; the next t is the minimum of the parabola through f(w), its slope and f(w + t d),
// kept in [0.1 t, 0.5 t] (Nocedal & Wright 2006, sec. 3.5). All products are over all groups that have lbfgs, taken in
// one pass as a table from which d follows by numbers alone (Chen et al. 2014, "Large-scale L-BFGS using MapReduce").
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct LbfgsOptions {
  Schedule lr = 1;
  std::int64_t history = 10;  ///< pairs that are kept, in [1, 50]: each two numbers a weight
  bool line_search = true;    ///< without it: t as it begins, and step() without a closure will do
  Schedule c1 = 1e-4;         ///< the share of the expected decrease that is asked for
  std::int64_t max_evaluations =
      20;  ///< of a line search; when it ends without a decrease, w stays, pairs are forgotten

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("history", history, {.low = 1, .high = 50, .is_whole = true}, Fields::Print::if_changed);
    f("line_search", line_search);
    f("c1", c1, {.high = 0.5, .is_high_open = true});
    f("max_evaluations", max_evaluations, {.low = 1, .high = 1000, .is_whole = true}, Fields::Print::if_changed);
  }
};

/// Example: lbfgs({.history = 20}). Errors: with line_search a step() without closure, or a loss that is NaN.
Rule lbfgs(const LbfgsOptions& options = {});

}  // namespace tandem
