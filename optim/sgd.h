// sgd: gradient descent, and nothing else; with momentum see momentum.h. The shortest leaf: leaf.h explains its parts.
//
//   g <- g + weight_decay w      or, decoupled: w <- w - lr weight_decay w
//   w <- w - lr g
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct SgdOptions {
  Schedule lr = 0.1;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Sgd {
  using Options = SgdOptions;
  static constexpr const char* kName = "sgd";
  static constexpr auto kState = kNoState;

  WeightDecay<T> decay;
  T lr;

  Sgd(const Options& h, Step t) : decay(h, t), lr(coefficient<T>("lr", h.lr(t))) {}

  void operator()(T& w, T g) const {
    decay(w, g);
    w -= lr * g;
  }
};

Rule sgd(const SgdOptions& options = {});

}  // namespace tandem
