// yogi: Zaheer et al. 2018, "Adaptive methods for nonconvex optimization", algorithm 2: Adam whose second moment
// changes by at most (1 - beta2) g^2. `initial` is what v starts from; it and the bias corrections are optax', the
// paper has neither. optax starts m at `initial` too: here it starts at 0, so that without gradients no weight moves.
//
//   m <- beta1 m + (1 - beta1) g
//   v <- v - (1 - beta2) sign(v - g^2) g^2
//   w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
#pragma once

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct YogiOptions {
  Schedule lr = 1e-2, beta1 = 0.9, beta2 = 0.999, eps = 1e-3, initial = 1e-6;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("initial", initial, kNotNegative);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Yogi {
  using Options = YogiOptions;
  static constexpr const char* kName = "yogi";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};

  WeightDecay<T> decay;
  Moments<T> moments;
  T lr_corrected, initial;  // lr / (1 - beta1^t); 0 after the first step

  Yogi(const Options& h, Step t)
      : decay(h, t),
        moments(h, t),
        lr_corrected(coefficient<T>("lr / (1 - beta1^t)", h.lr(t) / moments.correction1)),
        initial(coefficient<T>("initial", t.count == 1 ? h.initial(t) : 0)) {}

  void operator()(T& w, T g, T& m, T& v) const {
    decay(w, g);
    m = moments.beta1 * m + moments.one_minus_beta1 * g;
    const T before = v + initial, square = g * g, excess = before - square;
    const T change = excess > 0 ? square : excess < 0 ? -square : excess;  // a NaN stays one
    v = before - moments.one_minus_beta2 * change;
    const T update = lr_corrected * m / moments.root(v);
    w -= update;
  }
};

Rule yogi(const YogiOptions& options = {});

}  // namespace tandem
