// momentum: the heavy ball (Polyak 1964), and Nesterov's form of it (Sutskever et al. 2013, "On the importance of
// initialization and momentum in deep learning", as PyTorch's SGD writes it: without dampening).
//
//   g <- g + weight_decay w
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
  Schedule weight_decay = 0;   ///< coupled: added to the gradient
  bool no_bias_decay = false;  ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment, kAlways);
    f("nesterov", nesterov);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Momentum {
  using Options = MomentumOptions;
  static constexpr const char* kName = "momentum";
  static constexpr std::array kState = {State{"momentum_buffer", Role::first_moment}};

  T lr, momentum, weight_decay;
  bool nesterov;

  Momentum(const Options& h, Step t)
      : lr(static_cast<T>(h.lr(t))),
        momentum(static_cast<T>(h.momentum(t))),
        weight_decay(static_cast<T>(h.weight_decay(t))),
        nesterov(h.nesterov) {}

  void operator()(T& w, T g, T& v) const {
    g += weight_decay * w;
    v = momentum * v + g;
    w -= lr * (nesterov ? g + momentum * v : v);
  }
};

Rule momentum(const MomentumOptions& options = {});

}  // namespace tandem
