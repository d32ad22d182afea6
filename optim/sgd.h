// sgd: gradient descent, and nothing else; with momentum see momentum.h. The shortest leaf: leaf.h explains its parts.
//
//   g <- g + weight_decay w
//   w <- w - lr g
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct SgdOptions {
  Schedule lr = 0.1;
  Schedule weight_decay = 0;   ///< coupled: added to the gradient
  bool no_bias_decay = false;  ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Sgd {
  using Options = SgdOptions;
  static constexpr const char* kName = "sgd";
  static constexpr auto kState = kNoState;

  T lr, weight_decay;

  Sgd(const Options& h, Step t) : lr(static_cast<T>(h.lr(t))), weight_decay(static_cast<T>(h.weight_decay(t))) {}

  void operator()(T& w, T g) const {
    g += weight_decay * w;
    w -= lr * g;
  }
};

Rule sgd(const SgdOptions& options = {});

}  // namespace tandem
