// adan: Xie et al. 2022, "Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models", algorithm 1.
// As in the authors' code beta is 1 - beta of the paper, and the averages start at 0 with bias corrections. Weight
// decay is the paper's proximal one (line 7; no_prox in the code is adamw's). optax decays as adamw, and weights d and
// v by 1 - beta2 where the paper and the code have beta2: 0.08 for 0.92.
//
//   d = g - g_before                                   0 in the first step
//   m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) d,  n <- beta3 n + (1 - beta3) (g + beta2 d)^2
//   u = (m / (1 - beta1^t) + beta2 v / (1 - beta2^t)) / (sqrt(n / (1 - beta3^t)) + eps)
//   w <- (w - lr u) / (1 + lr weight_decay)
#pragma once

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct AdanOptions {
  Schedule lr = 1e-3, beta1 = 0.98, beta2 = 0.92, beta3 = 0.99, eps = 1e-8;
  Schedule weight_decay = 0;   ///< proximal, not seen by the update
  bool no_bias_decay = false;  ///< parameters of rank <= 1 (biases, norms) are not decayed

  void fields(Fields& f) {
    moments_fields(f, *this), f("beta3", beta3, kMoment);
    f("weight_decay", weight_decay, kNotNegative), f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Adan {
  using Options = AdanOptions;
  static constexpr const char* kName = "adan";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_diff", Role::first_moment},
                                        State{"exp_avg_sq"}, State{"previous_grad"}};

  T beta1, beta2, beta3, one_minus_beta1, one_minus_beta2, one_minus_beta3, of_m, of_v, root_corrected, eps, shrink;
  bool is_first;

  Adan(const Options& h, Step t) : is_first(t.count == 1) {
    const double b1 = h.beta1(t), b2 = h.beta2(t), b3 = h.beta3(t), lr = h.lr(t);
    const auto correction = [&](double beta) { return 1 - std::pow(beta, t.count); };
    beta1 = coefficient<T>("beta1", b1), one_minus_beta1 = coefficient<T>("1 - beta1", 1 - b1),
    of_m = coefficient<T>("lr / (1 - (1 - beta1)^t)", lr / correction(b1));
    beta2 = coefficient<T>("beta2", b2), one_minus_beta2 = coefficient<T>("1 - beta2", 1 - b2);
    beta3 = coefficient<T>("beta3", b3), one_minus_beta3 = coefficient<T>("1 - beta3", 1 - b3);
    of_v = coefficient<T>("lr (1 - beta2) / (1 - (1 - beta2)^t)", lr * b2 / correction(b2)),
    root_corrected = coefficient<T>("1 / sqrt(1 - beta3^t)", 1 / std::sqrt(correction(b3)));
    eps = coefficient<T>("eps", h.eps(t)),
    shrink = coefficient<T>("1 / (1 + lr weight_decay)", 1 / (1 + lr * h.weight_decay(t)));
  }

  void operator()(T& w, T g, T& m, T& v, T& n, T& before) const {
    using std::sqrt;
    const T d = is_first ? T(0) : g - before, ahead = g + beta2 * d;
    m = beta1 * m + one_minus_beta1 * g;
    v = beta2 * v + one_minus_beta2 * d;
    n = beta3 * n + one_minus_beta3 * ahead * ahead;
    const T update = (of_m * m + of_v * v) / (sqrt(n) * root_corrected + eps);
    w = (w - update) * shrink;
    before = g;
  }
};

Rule adan(const AdanOptions& options = {});

}  // namespace tandem
