// adam: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1, with coupled weight decay.
// Decoupled weight decay: adamw.h.
//
//   g <- g + weight_decay w
//   m <- beta1 m + (1 - beta1) g
//   v <- beta2 v + (1 - beta2) g^2
//   w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
#pragma once

#include <cmath>

#include <tandem/optim/leaf.h>

namespace tandem {

struct AdamOptions {
  Schedule lr = 1e-3;
  Schedule beta1 = 0.9, beta2 = 0.999;
  Schedule eps = 1e-8;
  Schedule weight_decay = 0;   ///< coupled: added to the gradient
  bool no_bias_decay = false;  ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("beta1", beta1, kMoment);
    f("beta2", beta2, kMoment);
    f("eps", eps, kNotNegative);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Adam {
  using Options = AdamOptions;
  static constexpr const char* kName = "adam";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};

  T beta1, beta2, one_minus_beta1, one_minus_beta2;
  T lr_corrected;    // lr / (1 - beta1^t)
  T root_corrected;  // 1 / sqrt(1 - beta2^t)
  T eps, weight_decay;

  Adam(const Options& h, Step t)
      : beta1(static_cast<T>(h.beta1(t))),
        beta2(static_cast<T>(h.beta2(t))),
        one_minus_beta1(static_cast<T>(1 - h.beta1(t))),
        one_minus_beta2(static_cast<T>(1 - h.beta2(t))),
        lr_corrected(static_cast<T>(h.lr(t) / (1 - std::pow(h.beta1(t), t.count)))),
        root_corrected(static_cast<T>(1 / std::sqrt(1 - std::pow(h.beta2(t), t.count)))),
        eps(static_cast<T>(h.eps(t))),
        weight_decay(static_cast<T>(h.weight_decay(t))) {}

  void operator()(T& w, T g, T& m, T& v) const {
    g += weight_decay * w;
    m = beta1 * m + one_minus_beta1 * g;
    v = beta2 * v + one_minus_beta2 * g * g;
    w -= lr_corrected * m / (std::sqrt(v) * root_corrected + eps);
  }
};

Rule adam(const AdamOptions& options = {});

}  // namespace tandem
