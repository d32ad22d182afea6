// ema, swa, polyak: averages of the weights. They observe and never feed back: training goes on as without them, and
// Optimizer::evaluation_weights() shows the average of the outermost level (before it has taken anything: what the rule
// inside would show). `slow`: the average is of the weights that the rule inside evaluates on, lookahead's slow
// weights, and not of the fast ones; ema(lookahead(adam()), {.slow = true}). Batch-norm statistics belong to the
// weights that were trained; re-estimate them for the average.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct EmaOptions {
  Schedule decay = 0.999;
  bool warmup = false;  ///< the decay of the t-th average after the first is at most (1 + t) / (10 + t)
  bool slow = false;    ///< see above

  void fields(Fields& f) {
    f("decay", decay, kMoment, kAlways);
    f("warmup", warmup);
    f("slow", slow);
  }
};

struct SwaOptions {
  std::int64_t from = 0;   ///< the number of the first step whose weights are taken, counted from 1
  std::int64_t every = 1;  ///< steps between two that are taken
  bool slow = false;       ///< see above

  void fields(Fields& f) {
    f("from", from, {});
    f("every", every, {.low = 1});
    f("slow", slow);
  }
};

/// An exponential moving average. average <- average + (1 - decay) (w - average) after every step; it begins with the
/// weights after the first (PyTorch's get_ema_multi_avg_fn).
Rule ema(const Rule& inner, const EmaOptions& options = {});

/// The mean of the weights after the steps from, from + every, from + 2 every, ... (Izmailov et al. 2018, "Averaging
/// weights leads to wider optima and better generalization", algorithm 1: average <- (n average + w) / (n + 1)).
Rule swa(const Rule& inner, const SwaOptions& options = {});

/// The mean of the weights after all steps (Polyak & Juditsky 1992, "Acceleration of stochastic approximation by
/// averaging").
Rule polyak(const Rule& inner, bool slow = false);

}  // namespace tandem
