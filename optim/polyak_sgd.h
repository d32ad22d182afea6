// polyak_sgd: SGD whose step size is measured (Polyak 1987, "Introduction to optimization"; Loizou et al. 2021,
// "Stochastic Polyak step-size for SGD", SPS_max; optax.polyak_sgd). With f the loss of the batch:
//
//   size = lr min(max, (f - f_min) / (|g|^2 + eps))        |.| the 2-norm over all groups that have it; 0 where g is 0
//   w <- w - size g
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct PolyakSgdOptions {
  Schedule lr = 1;     ///< a factor
  Schedule max = 1;    ///< the largest size before the factor
  Schedule f_min = 0;  ///< the least loss that can be had, at least 0 here
  Schedule eps = 0;

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("max", max, {.is_low_open = true});
    f("f_min", f_min, kNotNegative);
    f("eps", eps, kNotNegative);
  }
};

/// Needs step(closure) with a closure that returns the loss (Error otherwise). A loss below f_min gives a size of 0.
Rule polyak_sgd(const PolyakSgdOptions& options = {});

}  // namespace tandem
