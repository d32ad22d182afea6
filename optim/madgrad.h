// madgrad: Defazio & Jelassi 2021, "Adaptivity without compromise: a momentumized, adaptive, dual averaged gradient
// method for stochastic optimization", algorithm 1. x0 is the weight at the rule's first step, after a reset too. The
// authors' code and optax add eps to lr; the paper does not. A weight without gradients stays, also with eps = 0.
//
//   s <- s + lr sqrt(t) g,  v <- v + lr sqrt(t) g^2
//   z = x0 - s / (cbrt(v) + eps)
//   w <- w + (1 - momentum) (z - w)                           decoupled: - lr weight_decay w, with w as it was
#pragma once

#include <algorithm>
#include <cmath>

#include <tandem/optim/cube_root.h>
#include <tandem/optim/leaf.h>

namespace tandem {

struct MadgradOptions {
  Schedule lr = 1e-2, momentum = 0.9, eps = 1e-6;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment);
    f("eps", eps, kNotNegative);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Madgrad {
  using Options = MadgradOptions;
  static constexpr const char* kName = "madgrad";
  static constexpr std::array kState = {State{"s"}, State{"grad_sum_sq"}, State{"x0"}};

  WeightDecay<T> decay;
  T first, lambda, decayed, one_minus_momentum, eps;  // first: 1 in the first step, then 0

  Madgrad(const Options& h, Step t) : decay(h, t), first(coefficient<T>("is first step", t.count == 1)) {
    lambda = coefficient<T>("lr sqrt(t)", h.lr(t) * std::sqrt(static_cast<double>(t.count)));
    decayed = coefficient<T>("lr weight_decay", h.decoupled ? h.lr(t) * h.weight_decay(t) : 0);
    one_minus_momentum = coefficient<T>("1 - momentum", 1 - h.momentum(t)), eps = coefficient<T>("eps", h.eps(t));
  }

  void operator()(T& w, T g, T& s, T& v, T& x0) const {
    using detail::cbrt;
    using std::max;
    x0 = first > 0 ? w : x0;
    g += decay.coupled * w;
    s += lambda * g;
    v += lambda * g * g;
    const T divisor = max(cbrt(v) + eps, T(1e-37));  // where the root is 0, s is too
    const T z = x0 - s / divisor;
    w += one_minus_momentum * (z - w) - decayed * w;
  }
};

Rule madgrad(const MadgradOptions& options = {});

}  // namespace tandem
