// adagrad: Duchi, Hazan, Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization",
// figure 1 with a diagonal matrix. lr_decay as in PyTorch.
//
//   s <- s + g^2
//   w <- w - lr / (1 + (t - 1) lr_decay) g / (sqrt(initial + s) + eps)
#pragma once

#include <cmath>

#include <tandem/optim/leaf.h>

namespace tandem {

struct AdagradOptions {
  Schedule lr = 1e-2;
  Schedule lr_decay = 0;
  Schedule initial = 0;  ///< what the sum of squares starts from
  Schedule eps = 1e-10;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("lr_decay", lr_decay, kNotNegative);
    f("initial", initial, kNotNegative);
    f("eps", eps, kNotNegative);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Adagrad {
  using Options = AdagradOptions;
  static constexpr const char* kName = "adagrad";
  static constexpr std::array kState = {State{"sum"}};

  WeightDecay<T> decay;
  T lr, initial, eps;

  Adagrad(const Options& h, Step t)
      : decay(h, t),
        lr(coefficient<T>("lr", h.lr(t) / (1 + static_cast<double>(t.count - 1) * h.lr_decay(t)))),
        initial(coefficient<T>("initial", h.initial(t))),
        eps(coefficient<T>("eps", h.eps(t))) {}

  void operator()(T& w, T g, T& s) const {
    using std::sqrt;
    decay(w, g);
    s += g * g;
    w -= lr * g / (sqrt(initial + s) + eps);
  }
};

Rule adagrad(const AdagradOptions& options = {});

}  // namespace tandem
