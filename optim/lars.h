// lars: You, Gitman, Ginsburg 2017, "Large batch training of convolutional networks", algorithm 1: momentum whose lr is
// scaled for every tensor by the norm of its weights over the norm of its gradient.
//
//   r = trust |w| / (|g| + weight_decay |w|)      per tensor; 1 where |w| or |g| is 0
//   v <- momentum v + lr r (g + weight_decay w)
//   w <- w - v
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct LarsOptions {
  Schedule lr = 0.1, momentum = 0.9;
  Schedule trust = 1e-3;            ///< the paper's eta
  Schedule weight_decay = 0;        ///< coupled
  bool no_bias_decay = false;       ///< see weight_decay.h
  bool no_bias_adaptation = false;  ///< parameters of rank <= 1 (biases, norms) have a ratio of 1

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment, kAlways);
    f("trust", trust, kNotNegative);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
    f("no_bias_adaptation", no_bias_adaptation);
  }
};

template <class T>
struct Lars {
  using Options = LarsOptions;
  static constexpr const char* kName = "lars";
  static constexpr std::array kState = {State{"momentum_buffer", Role::first_moment}};
  static constexpr std::array kNorms = {"weight", "gradient"};

  double lr, trust, decay;
  T momentum, weight_decay, scaled_lr{};

  Lars(const Options& h, Step t) : lr(h.lr(t)), trust(h.trust(t)), decay(h.weight_decay(t)) {
    momentum = coefficient<T>("momentum", h.momentum(t));
    weight_decay = coefficient<T>("weight_decay", decay);
  }

  std::array<T, 2> measured(T w, T g, T) const { return {w, g}; }
  Lars scaled(const std::array<double, 2>& norms) const {
    const auto [w, g] = norms;
    Lars tensor = *this;
    tensor.scaled_lr = coefficient<T>("lr trust ratio", lr * (w == 0 || g == 0 ? 1 : trust * w / (g + decay * w)));
    return tensor;
  }

  void operator()(T& w, T g, T& v) const {
    v = momentum * v + scaled_lr * (g + weight_decay * w);
    w -= v;
  }
};

Rule lars(const LarsOptions& options = {});

}  // namespace tandem
