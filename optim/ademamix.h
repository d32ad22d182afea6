// ademamix: Pagliardini, Ablin, Grangier 2024, "The AdEMAMix optimizer: better, faster, older", algorithm 1: AdamW with
// a second, slow average of the gradients, whose bias is not corrected. alpha = 5 as in optax; the authors' code has 2.
//
//   m <- beta1 m + (1 - beta1) g,  s <- beta3_t s + (1 - beta3_t) g,  v <- beta2 v + (1 - beta2) g^2
//   w <- w - lr ((m / (1 - beta1^t) + alpha_t s) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay w)
//
// Warm-ups, with a = min(t / warmup, 1): alpha_t = a alpha, and the half-life of beta3_t goes from beta1's to beta3's:
// 1 / ln beta3_t = (1 - a) / ln beta1 + a / ln beta3, at most beta3. They start again when the state is reset.
#pragma once

#include <algorithm>
#include <cmath>

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct AdemamixOptions {
  Schedule lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, beta3 = 0.9999;
  Schedule beta3_warmup = 0, alpha = 5, alpha_warmup = 0;  ///< warm-ups in updates; 0: none
  Schedule weight_decay = 0;                               ///< decoupled
  bool no_bias_decay = false;                              ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("beta3", beta3, kMoment), f("beta3_warmup", beta3_warmup, kNotNegative);
    f("alpha", alpha, kNotNegative), f("alpha_warmup", alpha_warmup, kNotNegative);
    f("weight_decay", weight_decay, kNotNegative), f("no_bias_decay", no_bias_decay);
  }

  static double part(double warmup, Step t) { return std::min(1.0, static_cast<double>(t.count) / warmup); }
  double beta3_at(Step t) const {
    const double a = part(beta3_warmup(t), t), start = beta1(t), end = beta3(t);
    return a == 1 || start >= end ? end : std::exp(1 / ((1 - a) / std::log(start) + a / std::log(end)));
  }
};

template <class T>
struct Ademamix {
  using Options = AdemamixOptions;
  static constexpr const char* kName = "ademamix";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_slow", Role::first_moment},
                                        State{"exp_avg_sq"}};

  Moments<T> moments;
  T lr_corrected, beta3, one_minus_beta3, of_slow, shrink;

  Ademamix(const Options& h, Step t)
      : moments(h, t), lr_corrected(coefficient<T>("lr / (1 - beta1^t)", h.lr(t) / moments.correction1)) {
    beta3 = coefficient<T>("beta3", h.beta3_at(t)), one_minus_beta3 = coefficient<T>("1 - beta3", 1 - h.beta3_at(t));
    of_slow = coefficient<T>("lr alpha", h.lr(t) * h.alpha(t) * h.part(h.alpha_warmup(t), t));
    shrink = coefficient<T>("1 - lr weight_decay", 1 - h.lr(t) * h.weight_decay(t));
  }

  void operator()(T& w, T g, T& m, T& s, T& v) const {
    moments(g, m, v);
    s = beta3 * s + one_minus_beta3 * g;
    const T update = (lr_corrected * m + of_slow * s) / moments.root(v);
    w = shrink * w - update;
  }
};

Rule ademamix(const AdemamixOptions& options = {});

}  // namespace tandem
