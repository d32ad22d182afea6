// sophia: Liu et al. 2023, "Sophia: a scalable stochastic second-order optimizer for language model pre-training",
// algorithm 3 with Hutchinson's estimate of the Hessian's diagonal (algorithm 1), taken every `every` steps:
//
//   u ~ N(0, 1),  e = u * (H u),  h <- beta2 h + (1 - beta2) e
//   m <- beta1 m + (1 - beta1) g
//   w <- w - lr weight_decay w
//   w <- w - lr clip(m / max(gamma h, eps), -1, 1)
//
// H u is (g(w + radius u) - g(w)) / radius on the step's batch, with the same dropout masks: exact for a quadratic, and
// one more gradient in such a step. A closure gives gradients, not their derivatives.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct SophiaOptions {
  Schedule lr = 1e-3, beta1 = 0.96, beta2 = 0.99;
  Schedule gamma = 0.01;  ///< larger: more weights take the step lr of a sign
  Schedule eps = 1e-12, weight_decay = 0;
  std::int64_t every = 10;
  Schedule radius = 1e-3;
  std::int64_t seed = 0;
  bool no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("beta1", beta1, kMoment);
    f("beta2", beta2, kMoment);
    f("gamma", gamma, {.is_low_open = true});
    f("eps", eps, {.is_low_open = true});
    f("weight_decay", weight_decay, kNotNegative);
    f("every", every, kCount, Fields::Print::if_changed);
    f("radius", radius, {.is_low_open = true});
    f("seed", seed, {}, Fields::Print::if_changed);
    f("no_bias_decay", no_bias_decay);
  }
};

/// Needs step(closure). The numbers u depend on seed, step, name and element alone, as those of noise.h.
Rule sophia(const SophiaOptions& options = {});

}  // namespace tandem
