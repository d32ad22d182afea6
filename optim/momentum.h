// momentum: the heavy ball (Polyak 1964), and Nesterov's form of it (Sutskever et al. 2013, "On the importance of
// initialization and momentum in deep learning", as PyTorch's SGD writes it: without dampening).
//
//   g <- g + weight_decay w           or, decoupled: w <- w - lr weight_decay w
//   v <- momentum v + g
//   w <- w - lr v                     heavy ball
//   w <- w - lr (g + momentum v)      nesterov
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct MomentumOptions {
  Schedule lr = 0.1;
  Schedule momentum = 0.9;
  bool nesterov = false;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment, kAlways);
    f("nesterov", nesterov);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Momentum {
  using Options = MomentumOptions;
  static constexpr const char* kName = "momentum";
  static constexpr std::array kState = {State{"momentum_buffer", Role::first_moment}};

  WeightDecay<T> decay;
  T lr, momentum;
  bool nesterov;

  Momentum(const Options& h, Step t)
      : decay(h, t),
        lr(coefficient<T>("lr", h.lr(t))),
        momentum(coefficient<T>("momentum", h.momentum(t))),
        nesterov(h.nesterov) {}

  void operator()(T& w, T g, T& v) const {
    decay(w, g);
    v = momentum * v + g;
    w -= lr * (nesterov ? g + momentum * v : v);
  }
};

Rule momentum(const MomentumOptions& options = {});

}  // namespace tandem
