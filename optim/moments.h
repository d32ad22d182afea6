// The two moments of Adam and its kin, with bias corrections: Kingma & Ba 2015, "Adam: A Method for Stochastic
// Optimization", algorithm 1. What adam.h, adamw.h, amsgrad.h, radam.h, nadam.h and lamb.h share.
//
//   m <- beta1 m + (1 - beta1) g
//   v <- beta2 v + (1 - beta2) g^2
//   root(v) = sqrt(v / (1 - beta2^t)) + eps
#pragma once

#include <cmath>

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/rule.h>

namespace tandem {

/// The coefficients of a step, from options with beta1, beta2 and eps.
template <class T>
struct Moments {
  T beta1, beta2, one_minus_beta1, one_minus_beta2;
  double correction1, correction2;  ///< 1 - beta1^t, 1 - beta2^t: what m and v are divided by
  T root_corrected, eps;            // 1 / sqrt(1 - beta2^t)

  template <class Options>
  Moments(const Options& h, Step t)
      : beta1(coefficient<T>("beta1", h.beta1(t))),
        beta2(coefficient<T>("beta2", h.beta2(t))),
        one_minus_beta1(coefficient<T>("1 - beta1", 1 - h.beta1(t))),
        one_minus_beta2(coefficient<T>("1 - beta2", 1 - h.beta2(t))),
        correction1(1 - std::pow(h.beta1(t), t.count)),
        correction2(1 - std::pow(h.beta2(t), t.count)),
        root_corrected(coefficient<T>("1 / sqrt(1 - beta2^t)", 1 / std::sqrt(correction2))),
        eps(coefficient<T>("eps", h.eps(t))) {}

  void operator()(T g, T& m, T& v) const {
    m = beta1 * m + one_minus_beta1 * g;
    v = beta2 * v + one_minus_beta2 * g * g;
  }
  T root(T v) const {
    using std::sqrt;
    return sqrt(v) * root_corrected + eps;
  }
};

/// Their fields, after lr.
template <class Options>
void moments_fields(Fields& f, Options& options) {
  f("lr", options.lr, kNotNegative, kAlways);
  f("beta1", options.beta1, kMoment);
  f("beta2", options.beta2, kMoment);
  f("eps", options.eps, kNotNegative);
}

}  // namespace tandem
