// ema, swa, polyak: averages of the weights. They observe and never feed back: training goes on as without them, and
// Optimizer::evaluation_weights() shows the average of the outermost level (before it has taken anything: what the rule
// inside would show). Batch-norm statistics belong to the weights that were trained; re-estimate them for the average.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct EmaOptions {
  Schedule decay = 0.999;

  void fields(Fields& f) { f("decay", decay, kMoment, kAlways); }
};

struct SwaOptions {
  std::int64_t from = 0;   ///< the number of the first step whose weights are taken, counted from 1
  std::int64_t every = 1;  ///< steps between two that are taken

  void fields(Fields& f) {
    f("from", from, {});
    f("every", every, {.low = 1});
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
Rule polyak(const Rule& inner);

}  // namespace tandem
