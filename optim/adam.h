// adam: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1, with coupled weight decay.
// Decoupled weight decay: adamw.h.
//
//   g <- g + weight_decay w
//   m <- beta1 m + (1 - beta1) g
//   v <- beta2 v + (1 - beta2) g^2
//   w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
#pragma once

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct AdamOptions {
  Schedule lr = 1e-3;
  Schedule beta1 = 0.9, beta2 = 0.999;
  Schedule eps = 1e-8;
  Schedule weight_decay = 0;   ///< coupled: added to the gradient
  bool no_bias_decay = false;  ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Adam {
  using Options = AdamOptions;
  static constexpr const char* kName = "adam";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};

  Moments<T> moments;
  T lr_corrected;  // lr / (1 - beta1^t)
  T weight_decay;

  Adam(const Options& h, Step t)
      : moments(h, t),
        lr_corrected(coefficient<T>("lr / (1 - beta1^t)", h.lr(t) / moments.correction1)),
        weight_decay(coefficient<T>("weight_decay", h.weight_decay(t))) {}

  void operator()(T& w, T g, T& m, T& v) const {
    g += weight_decay * w;
    moments(g, m, v);
    w -= lr_corrected * m / moments.root(v);
  }
};

Rule adam(const AdamOptions& options = {});

}  // namespace tandem
