// sign_sgd: Bernstein et al. 2018, "signSGD: compressed optimisation for non-convex problems", algorithm 1. With an
// average of gradients: signum.h. Weight decay is decoupled, as in Bernstein et al. 2019, "signSGD with majority vote
// is communication efficient and fault tolerant", algorithm 1.
//
//   w <- w - lr (sign(g) + weight_decay w)
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct SignSgdOptions {
  Schedule lr = 1e-3;
  Schedule weight_decay = 0;   ///< decoupled
  bool no_bias_decay = false;  ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct SignSgd {
  using Options = SignSgdOptions;
  static constexpr const char* kName = "sign_sgd";
  static constexpr auto kState = kNoState;

  T lr, weight_decay;

  SignSgd(const Options& h, Step t)
      : lr(coefficient<T>("lr", h.lr(t))), weight_decay(coefficient<T>("weight_decay", h.weight_decay(t))) {}

  void operator()(T& w, T g) const {
    const T sign = g > 0 ? T(1) : g < 0 ? T(-1) : g;  // a NaN stays one
    w -= lr * (sign + weight_decay * w);
  }
};

Rule sign_sgd(const SignSgdOptions& options = {});

}  // namespace tandem
