// signum: Bernstein et al. 2018, "signSGD: compressed optimisation for non-convex problems", algorithm 2: the sign of
// an average of gradients; lion.h is its descendant. Weight decay is decoupled, as in sign_sgd.h.
//
//   m <- momentum m + (1 - momentum) g
//   w <- w - lr (sign(m) + weight_decay w)
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct SignumOptions {
  Schedule lr = 1e-3, momentum = 0.9;
  Schedule weight_decay = 0;   ///< decoupled
  bool no_bias_decay = false;  ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment, kAlways);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Signum {
  using Options = SignumOptions;
  static constexpr const char* kName = "signum";
  static constexpr std::array kState = {State{"momentum_buffer", Role::first_moment}};

  T lr, momentum, one_minus_momentum, weight_decay;

  Signum(const Options& h, Step t)
      : lr(coefficient<T>("lr", h.lr(t))),
        momentum(coefficient<T>("momentum", h.momentum(t))),
        one_minus_momentum(coefficient<T>("1 - momentum", 1 - h.momentum(t))),
        weight_decay(coefficient<T>("weight_decay", h.weight_decay(t))) {}

  void operator()(T& w, T g, T& m) const {
    m = momentum * m + one_minus_momentum * g;
    const T sign = m > 0 ? T(1) : m < 0 ? T(-1) : m;  // a NaN stays one
    w -= lr * (sign + weight_decay * w);
  }
};

Rule signum(const SignumOptions& options = {});

}  // namespace tandem
