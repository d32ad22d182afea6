// noise: annealed Gaussian noise on gradients (Neelakantan et al. 2015, "Adding gradient noise improves learning for
// very deep networks", section 3; optax.add_noise). In step t = 0, 1, ... of the optimizer:
//
//   g <- g + N(0, eta / (1 + t)^gamma)
//
// The numbers depend on (seed, name of the parameter, t, element) alone: the same for every number of threads, for
// groups as for one, and after a resume.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct NoiseOptions {
  Schedule eta = 0.01;    ///< the variance in the first step; the paper: 0.01, 0.3 or 1
  Schedule gamma = 0.55;  ///< how fast it falls
  std::int64_t seed = 0;

  void fields(Fields& f) {
    f("eta", eta, kNotNegative, kAlways);
    f("gamma", gamma, kNotNegative);
    f("seed", seed, {});
  }
};

/// Example: noise(sgd({.lr = 0.1}), {.eta = 0.3, .seed = 7}).
Rule noise(const Rule& inner, const NoiseOptions& options = {});

}  // namespace tandem
