// adopt: Taniguchi et al. 2024, "ADOPT: modified Adam can converge with any beta2 with the optimal rate": the gradient
// is divided by the second moment of the steps before it, then averaged. Clipped as in the authors' code and optax;
// clip=false: c infinite from t = 2 on. The first step only measures: no weight moves, none decays.
//
//   c = (t - 1)^(1/4)
//   m <- beta1 m + (1 - beta1) clip(g / max(sqrt(v), eps), -c, c)
//   w <- w - lr m
//   v <- beta2 v + (1 - beta2) g^2                                     g^2 in the first step
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct AdoptOptions {
  Schedule lr = 1e-3, beta1 = 0.9, beta2 = 0.9999, eps = 1e-6;
  Schedule weight_decay = 0;
  bool clip = true, decoupled = false, no_bias_decay = false;  ///< the latter two: weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("clip", clip);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Adopt {
  using Options = AdoptOptions;
  static constexpr const char* kName = "adopt";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};

  WeightDecay<T> decay;
  T lr, beta1, one_minus_beta1, beta2, one_minus_beta2, eps, limit;

  Adopt(const Options& h, Step t) : decay(h, t) {
    const double past = static_cast<double>(t.count - 1), b2 = past == 0 ? 0 : h.beta2(t);
    lr = coefficient<T>("lr", h.lr(t)), eps = coefficient<T>("eps", h.eps(t));
    beta1 = coefficient<T>("beta1", h.beta1(t)), one_minus_beta1 = coefficient<T>("1 - beta1", 1 - h.beta1(t));
    beta2 = coefficient<T>("beta2", b2), one_minus_beta2 = coefficient<T>("1 - beta2", 1 - b2);
    limit = h.clip || past == 0 ? coefficient<T>("(t - 1)^(1/4)", std::pow(past, 0.25))
                                : T(std::numeric_limits<double>::infinity());
    if (past == 0) decay.kept = T(1);
  }

  void operator()(T& w, T g, T& m, T& v) const {
    using std::max, std::min, std::sqrt;
    decay(w, g);
    const T root = sqrt(v), scaled = g / max(root, eps);
    const T clipped = min(max(scaled, -limit), limit);  // in this order a NaN stays one
    m = beta1 * m + one_minus_beta1 * clipped;
    w -= lr * m;
    v = beta2 * v + one_minus_beta2 * g * g;
  }
};

Rule adopt(const AdoptOptions& options = {});

}  // namespace tandem
