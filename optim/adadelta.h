// adadelta: Zeiler 2012, "ADADELTA: An adaptive learning rate method", algorithm 1; lr = 1 is the paper's.
//
//   s <- rho s + (1 - rho) g^2
//   u = sqrt(d + eps) / sqrt(s + eps) g
//   d <- rho d + (1 - rho) u^2
//   w <- w - lr u
#pragma once

#include <cmath>

#include <tandem/optim/leaf.h>

namespace tandem {

struct AdadeltaOptions {
  Schedule lr = 1;
  Schedule rho = 0.9;
  Schedule eps = 1e-6;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("rho", rho, kMoment);
    f("eps", eps, kNotNegative);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Adadelta {
  using Options = AdadeltaOptions;
  static constexpr const char* kName = "adadelta";
  static constexpr std::array kState = {State{"square_avg"}, State{"acc_delta"}};

  WeightDecay<T> decay;
  T lr, rho, one_minus_rho, eps;

  Adadelta(const Options& h, Step t)
      : decay(h, t),
        lr(coefficient<T>("lr", h.lr(t))),
        rho(coefficient<T>("rho", h.rho(t))),
        one_minus_rho(coefficient<T>("1 - rho", 1 - h.rho(t))),
        eps(coefficient<T>("eps", h.eps(t))) {}

  void operator()(T& w, T g, T& s, T& d) const {
    decay(w, g);
    s = rho * s + one_minus_rho * g * g;
    using std::sqrt;
    const T u = sqrt(d + eps) / sqrt(s + eps) * g;
    d = rho * d + one_minus_rho * u * u;
    w -= lr * u;
  }
};

Rule adadelta(const AdadeltaOptions& options = {});

}  // namespace tandem
