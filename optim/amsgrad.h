// amsgrad: Adam divided by the largest second moment so far (Reddi, Kale, Kumar 2018, "On the convergence of Adam and
// beyond", algorithm 2), with Adam's bias corrections as PyTorch's Adam(amsgrad=True).
//
//   m <- beta1 m + (1 - beta1) g
//   v <- beta2 v + (1 - beta2) g^2
//   x <- max(x, v)
//   w <- w - lr (m / (1 - beta1^t)) / (sqrt(x / (1 - beta2^t)) + eps)
#pragma once

#include <tandem/optim/adam.h>

namespace tandem {

struct AmsgradOptions {
  Schedule lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Amsgrad {
  using Options = AmsgradOptions;
  static constexpr const char* kName = "amsgrad";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"},
                                        State{"max_exp_avg_sq"}};

  WeightDecay<T> decay;
  Moments<T> moments;
  T lr_corrected;  // lr / (1 - beta1^t)

  Amsgrad(const Options& h, Step t)
      : decay(h, t), moments(h, t), lr_corrected(coefficient<T>("lr / (1 - beta1^t)", h.lr(t) / moments.correction1)) {}

  void operator()(T& w, T g, T& m, T& v, T& x) const {
    decay(w, g);
    moments(g, m, v);
    x = v > x ? v : x;
    w -= lr_corrected * m / moments.root(x);
  }
};

Rule amsgrad(const AmsgradOptions& options = {});

}  // namespace tandem
