// lion: Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2. One state; weight decay is
// decoupled. Its lr is that of AdamW divided by 3 to 10, its weight decay as much larger.
//
//   u = sign(beta1 m + (1 - beta1) g)
//   w <- w - lr (u + weight_decay w)
//   m <- beta2 m + (1 - beta2) g
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct LionOptions {
  Schedule lr = 1e-4;
  Schedule beta1 = 0.9, beta2 = 0.99;
  Schedule weight_decay = 0;   ///< decoupled
  bool no_bias_decay = false;  ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("beta1", beta1, kMoment);
    f("beta2", beta2, kMoment);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Lion {
  using Options = LionOptions;
  static constexpr const char* kName = "lion";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}};

  T lr, beta1, beta2, one_minus_beta1, one_minus_beta2, weight_decay;

  Lion(const Options& h, Step t)
      : lr(coefficient<T>("lr", h.lr(t))),
        beta1(coefficient<T>("beta1", h.beta1(t))),
        beta2(coefficient<T>("beta2", h.beta2(t))),
        one_minus_beta1(coefficient<T>("1 - beta1", 1 - h.beta1(t))),
        one_minus_beta2(coefficient<T>("1 - beta2", 1 - h.beta2(t))),
        weight_decay(coefficient<T>("weight_decay", h.weight_decay(t))) {}

  void operator()(T& w, T g, T& m) const {
    const T c = beta1 * m + one_minus_beta1 * g;
    const T u = c > 0 ? T(1) : c < 0 ? T(-1) : c;  // a NaN stays one
    w -= lr * (u + weight_decay * w);
    m = beta2 * m + one_minus_beta2 * g;
  }
};

Rule lion(const LionOptions& options = {});

}  // namespace tandem
