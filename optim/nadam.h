// nadam: Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2 with the momentum schedule of section 4
// (a base of 0.96), as PyTorch writes it.
//
//   mu_t = beta1 (1 - 0.5 * 0.96^(t momentum_decay))
//   P <- P mu_t                                        a number per tensor, mu_1 in its first step
//   m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
//   w <- w - lr ((1 - mu_t) / (1 - P) g + mu_(t+1) / (1 - P mu_(t+1)) m) / (sqrt(v / (1 - beta2^t)) + eps)
#pragma once

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct NadamOptions {
  Schedule lr = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, momentum_decay = 4e-3;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("momentum_decay", momentum_decay, kNotNegative);
    weight_decay_fields(f, *this);
  }

  /// mu of update number `count`, with the beta1 of step t.
  double mu(std::int64_t count, Step t) const {
    return beta1(t) * (1 - 0.5 * std::pow(0.96, static_cast<double>(count) * momentum_decay(t)));
  }
};

template <class T>
struct Nadam {
  using Options = NadamOptions;
  static constexpr const char* kName = "nadam";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};
  static constexpr std::array kNumbers = {"mu_product"};

  WeightDecay<T> decay;
  Moments<T> moments;
  double lr, mu, next_mu;
  bool is_first;
  T of_gradient{}, of_moment{};  // lr (1 - mu_t) / (1 - P), lr mu_(t+1) / (1 - P mu_(t+1))

  Nadam(const Options& h, Step t)
      : decay(h, t),
        moments(h, t),
        lr(h.lr(t)),
        mu(h.mu(t.count, t)),
        next_mu(h.mu(t.count + 1, t)),
        is_first(t.count == 1) {}

  Nadam numbered(std::span<double> numbers) const {
    double& product = numbers[0];
    product = is_first ? mu : product * mu;
    Nadam tensor = *this;
    tensor.of_gradient = coefficient<T>("lr (1 - mu_t) / (1 - prod mu)", lr * (1 - mu) / (1 - product));
    tensor.of_moment = coefficient<T>("lr mu_t+1 / (1 - prod mu mu_t+1)", lr * next_mu / (1 - product * next_mu));
    return tensor;
  }

  void operator()(T& w, T g, T& m, T& v) const {
    decay(w, g);
    moments(g, m, v);
    w -= (of_gradient * g + of_moment * m) / moments.root(v);
  }
};

Rule nadam(const NadamOptions& options = {});

}  // namespace tandem
