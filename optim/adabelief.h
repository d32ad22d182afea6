// adabelief: Zhuang et al. 2020, "AdaBelief optimizer: adapting stepsizes by the belief in observed gradients",
// algorithm 2: Adam divided by how far gradients are from their average. The paper and the authors' code have one eps
// in both places; optax names the inner one eps_root, as here. Both add it to s itself in every step. The authors' code
// rectifies the step as radam.h by default; this rule and optax do not.
//
//   m <- beta1 m + (1 - beta1) g
//   s <- beta2 s + (1 - beta2) (g - m)^2 + eps_root
//   w <- w - lr (m / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + eps)
#pragma once

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct AdabeliefOptions {
  Schedule lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-16, eps_root = 1e-16;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("eps_root", eps_root, kNotNegative);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Adabelief {
  using Options = AdabeliefOptions;
  static constexpr const char* kName = "adabelief";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_var"}};

  WeightDecay<T> decay;
  Moments<T> moments;
  T lr_corrected, eps_root;  // lr / (1 - beta1^t)

  Adabelief(const Options& h, Step t)
      : decay(h, t),
        moments(h, t),
        lr_corrected(coefficient<T>("lr / (1 - beta1^t)", h.lr(t) / moments.correction1)),
        eps_root(coefficient<T>("eps_root", h.eps_root(t))) {}

  void operator()(T& w, T g, T& m, T& s) const {
    decay(w, g);
    m = moments.beta1 * m + moments.one_minus_beta1 * g;
    const T surprise = g - m;
    s = moments.beta2 * s + moments.one_minus_beta2 * surprise * surprise + eps_root;
    const T update = lr_corrected * m / moments.root(s);
    w -= update;
  }
};

Rule adabelief(const AdabeliefOptions& options = {});

}  // namespace tandem
