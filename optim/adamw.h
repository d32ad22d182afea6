// adamw: Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2: Adam whose weight decay does
// not pass through the moments.
//
//   w <- w - lr weight_decay w
//   m <- beta1 m + (1 - beta1) g
//   v <- beta2 v + (1 - beta2) g^2
//   w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
#pragma once

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct AdamwOptions {
  Schedule lr = 1e-3;
  Schedule beta1 = 0.9, beta2 = 0.999;
  Schedule eps = 1e-8;
  Schedule weight_decay = 0.01;  ///< decoupled: shrinks the weight by lr * weight_decay
  bool no_bias_decay = false;    ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("weight_decay", weight_decay, kNotNegative, kAlways);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Adamw {
  using Options = AdamwOptions;
  static constexpr const char* kName = "adamw";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};

  Moments<T> moments;
  T lr_corrected;  // lr / (1 - beta1^t)
  T shrink;        // shrink: 1 - lr weight_decay

  Adamw(const Options& h, Step t)
      : moments(h, t),
        lr_corrected(coefficient<T>("lr / (1 - beta1^t)", h.lr(t) / moments.correction1)),
        shrink(coefficient<T>("1 - lr weight_decay", 1 - h.lr(t) * h.weight_decay(t))) {}

  void operator()(T& w, T g, T& m, T& v) const {
    w *= shrink;
    moments(g, m, v);
    w -= lr_corrected * m / moments.root(v);
  }
};

Rule adamw(const AdamwOptions& options = {});

}  // namespace tandem
