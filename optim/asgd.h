// asgd: SGD whose average is the result (Polyak & Juditsky 1992, "Acceleration of stochastic approximation by
// averaging"; the step sizes of Bottou; torch.optim.ASGD). It is the row "Polyak" of the Lookahead paper's tables. In
// step t = 1, 2, ...:
//
//   eta = lr / (1 + lambd lr (t - 1))^alpha
//   w <- (1 - lambd eta) w - eta (g + weight_decay w)
//   average <- average + mu (w - average)          mu = 1 / max(1, t - 1 - t0)
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct AsgdOptions {
  Schedule lr = 0.01;
  Schedule lambd = 1e-4;  ///< how fast eta falls, and how fast weights decay
  Schedule alpha = 0.75;  ///< the power of that
  Schedule t0 = 1e6;      ///< steps before the average begins; until then it is the weights themselves
  Schedule weight_decay = 0;

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("lambd", lambd, kNotNegative);
    f("alpha", alpha, kNotNegative);
    f("t0", t0, {.is_whole = true});
    f("weight_decay", weight_decay, kNotNegative);
  }
};

/// evaluation_weights() shows the average (PyTorch: state["ax"]). Example: asgd({.lr = 0.1, .t0 = 5000}).
Rule asgd(const AsgdOptions& options = {});

}  // namespace tandem
