// qhm: Ma & Yarats 2019, "Quasi-hyperbolic momentum and Adam for deep learning", section 3: a mean of the gradient and
// its average. nu = 1 is momentum with a damped gradient, nu = 0 sgd; defaults as the paper recommends.
//
//   m <- momentum m + (1 - momentum) g
//   w <- w - lr ((1 - nu) g + nu m)
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct QhmOptions {
  Schedule lr = 1, momentum = 0.999, nu = 0.7;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment, kAlways);
    f("nu", nu, {.high = 1});
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Qhm {
  using Options = QhmOptions;
  static constexpr const char* kName = "qhm";
  static constexpr std::array kState = {State{"momentum_buffer", Role::first_moment}};

  WeightDecay<T> decay;
  T momentum, one_minus_momentum, of_gradient, of_moment;  // ..., lr (1 - nu), lr nu

  Qhm(const Options& h, Step t)
      : decay(h, t),
        momentum(coefficient<T>("momentum", h.momentum(t))),
        one_minus_momentum(coefficient<T>("1 - momentum", 1 - h.momentum(t))),
        of_gradient(coefficient<T>("lr (1 - nu)", h.lr(t) * (1 - h.nu(t)))),
        of_moment(coefficient<T>("lr nu", h.lr(t) * h.nu(t))) {}

  void operator()(T& w, T g, T& m) const {
    decay(w, g);
    m = momentum * m + one_minus_momentum * g;
    const T update = of_gradient * g + of_moment * m;
    w -= update;
  }
};

Rule qhm(const QhmOptions& options = {});

}  // namespace tandem
