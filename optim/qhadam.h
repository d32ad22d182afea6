// qhadam: Ma & Yarats 2019, "Quasi-hyperbolic momentum and Adam for deep learning", section 4: Adam with means of the
// gradient and its moments. nu1 = nu2 = 1, the defaults of the authors' code, is Adam.
//
//   m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
//   w <- w - lr ((1 - nu1) g + nu1 m / (1 - beta1^t)) / (sqrt((1 - nu2) g^2 + nu2 v / (1 - beta2^t)) + eps)
#pragma once

#include <cmath>

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct QhadamOptions {
  Schedule lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, nu1 = 1, nu2 = 1;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("nu1", nu1, {.high = 1}), f("nu2", nu2, {.high = 1});
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Qhadam {
  using Options = QhadamOptions;
  static constexpr const char* kName = "qhadam";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};

  WeightDecay<T> decay;
  Moments<T> moments;
  T of_gradient, of_moment, of_square, of_second;  // lr (1 - nu1), lr nu1 / (1 - beta1^t), and for the root

  Qhadam(const Options& h, Step t)
      : decay(h, t),
        moments(h, t),
        of_gradient(coefficient<T>("lr (1 - nu1)", h.lr(t) * (1 - h.nu1(t)))),
        of_moment(coefficient<T>("lr nu1 / (1 - beta1^t)", h.lr(t) * h.nu1(t) / moments.correction1)),
        of_square(coefficient<T>("1 - nu2", 1 - h.nu2(t))),
        of_second(coefficient<T>("nu2 / (1 - beta2^t)", h.nu2(t) / moments.correction2)) {}

  void operator()(T& w, T g, T& m, T& v) const {
    using std::sqrt;
    decay(w, g);
    moments(g, m, v);
    const T above = of_gradient * g + of_moment * m;
    const T below = sqrt(of_square * g * g + of_second * v) + moments.eps;
    w -= above / below;
  }
};

Rule qhadam(const QhadamOptions& options = {});

}  // namespace tandem
