// adamax: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 2: Adam with the largest gradient
// of late in place of the second moment. eps is added to |g| before the maximum, as in PyTorch and optax; the paper has
// none.
//
//   m <- beta1 m + (1 - beta1) g
//   u <- max(beta2 u, |g| + eps)
//   w <- w - lr (m / (1 - beta1^t)) / u
#pragma once

#include <cmath>

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct AdamaxOptions {
  Schedule lr = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Adamax {
  using Options = AdamaxOptions;
  static constexpr const char* kName = "adamax";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_inf"}};

  WeightDecay<T> decay;
  Moments<T> moments;
  T lr_corrected;  // lr / (1 - beta1^t)

  Adamax(const Options& h, Step t)
      : decay(h, t), moments(h, t), lr_corrected(coefficient<T>("lr / (1 - beta1^t)", h.lr(t) / moments.correction1)) {}

  void operator()(T& w, T g, T& m, T& u) const {
    using std::abs, std::max;
    decay(w, g);
    m = moments.beta1 * m + moments.one_minus_beta1 * g;
    const T faded = moments.beta2 * u, size = abs(g) + moments.eps;
    u = max(faded, size);
    const T update = lr_corrected * m / u;
    w -= update;
  }
};

Rule adamax(const AdamaxOptions& options = {});

}  // namespace tandem
