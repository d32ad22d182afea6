// radam: Liu et al. 2020, "On the variance of the adaptive learning rate and beyond", algorithm 2; where it divides by
// sqrt(v), eps as in PyTorch. Ranger is lookahead(radam()).
//
//   m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
//   rho = rho_inf - 2 t beta2^t / (1 - beta2^t),  rho_inf = 2 / (1 - beta2) - 1
//   rho > 5:  w <- w - lr r (m / (1 - beta1^t)) sqrt(1 - beta2^t) / (sqrt(v) + eps)
//             r = sqrt((rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho))
//   else:     w <- w - lr m / (1 - beta1^t)
#pragma once

#include <cmath>

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct RadamOptions {
  Schedule lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Radam {
  using Options = RadamOptions;
  static constexpr const char* kName = "radam";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};

  WeightDecay<T> decay;
  Moments<T> moments;
  T lr_corrected;  // lr / (1 - beta1^t), times r sqrt(1 - beta2^t) when rectified
  bool is_rectified;

  Radam(const Options& h, Step t) : decay(h, t), moments(h, t) {
    const double power = std::pow(h.beta2(t), t.count), rho_inf = 2 / (1 - h.beta2(t)) - 1;
    const double rho = rho_inf - 2 * static_cast<double>(t.count) * power / (1 - power);
    is_rectified = rho > 5;
    const double r = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho);
    const double lr = h.lr(t) / moments.correction1;
    lr_corrected = coefficient<T>(is_rectified ? "r lr / (1 - beta1^t)" : "lr / (1 - beta1^t)",
                                  is_rectified ? lr * std::sqrt(r * (1 - power)) : lr);
  }

  void operator()(T& w, T g, T& m, T& v) const {
    using std::sqrt;
    decay(w, g);
    moments(g, m, v);
    w -= lr_corrected * m / (is_rectified ? sqrt(v) + moments.eps : T(1));
  }
};

Rule radam(const RadamOptions& options = {});

}  // namespace tandem
