// lamb: You et al. 2020, "Large batch optimization for deep learning: training BERT in 76 minutes", algorithm 2, with
// phi the identity: AdamW whose step has, for every tensor, the norm of its weights.
//
//   m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
//   u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay w
//   w <- w - lr (|w| / |u|) u                     per tensor; the factor is 1 where |w| or |u| is 0
#pragma once

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct LambOptions {
  Schedule lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0.01;
  bool no_bias_decay = false;       ///< see weight_decay.h
  bool no_bias_adaptation = false;  ///< parameters of rank <= 1 (biases, norms) have a ratio of 1

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
    f("no_bias_adaptation", no_bias_adaptation);
  }
};

template <class T>
struct Lamb {
  using Options = LambOptions;
  static constexpr const char* kName = "lamb";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};
  static constexpr std::array kNorms = {"weight", "update"};

  double lr;
  Moments<T> moments;
  T corrected, weight_decay, scaled_lr{};

  Lamb(const Options& h, Step t) : lr(h.lr(t)), moments(h, t) {
    corrected = coefficient<T>("1 / (1 - beta1^t)", 1 / moments.correction1);
    weight_decay = coefficient<T>("weight_decay", h.weight_decay(t));
  }

  /// Moves the moments, and gives u.
  T update(T w, T g, T& m, T& v) const {
    moments(g, m, v);
    return corrected * m / moments.root(v) + weight_decay * w;
  }
  std::array<T, 2> measured(T w, T g, T m, T v) const { return {w, update(w, g, m, v)}; }
  Lamb scaled(const std::array<double, 2>& norms) const {
    const auto [w, u] = norms;
    Lamb tensor = *this;
    tensor.scaled_lr = coefficient<T>("lr trust ratio", lr * (w == 0 || u == 0 ? 1 : w / u));
    return tensor;
  }

  void operator()(T& w, T g, T& m, T& v) const { w -= scaled_lr * update(w, g, m, v); }
};

Rule lamb(const LambOptions& options = {});

}  // namespace tandem
