// novograd: Ginsburg et al. 2019, "Stochastic gradient methods with layer-wise adaptive moments for training of deep
// networks", algorithm 1: momentum of gradients that are normalized for every tensor by an average of their norms.
//
//   v <- beta2 v + (1 - beta2) |g|^2            a number per tensor; |g|^2 in its first step
//   m <- beta1 m + g / (sqrt(v) + eps) + weight_decay w
//   w <- w - lr m
#pragma once

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct NovogradOptions {
  Schedule lr = 0.01, beta1 = 0.95, beta2 = 0.98, eps = 1e-8, weight_decay = 0;
  bool no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Novograd {
  using Options = NovogradOptions;
  static constexpr const char* kName = "novograd";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}};
  static constexpr std::array kNorms = {"gradient"}, kNumbers = {"exp_avg_sq"};

  double beta2, eps;
  T lr, beta1, weight_decay, factor{};

  Novograd(const Options& h, Step t) : beta2(t.count == 1 ? 0 : h.beta2(t)), eps(h.eps(t)) {
    lr = coefficient<T>("lr", h.lr(t)), beta1 = coefficient<T>("beta1", h.beta1(t));
    weight_decay = coefficient<T>("weight_decay", h.weight_decay(t));
  }

  std::array<T, 1> measured(T, T g, T) const { return {g}; }
  Novograd scaled(const std::array<double, 1>& norms, std::span<double> numbers) const {
    numbers[0] = beta2 * numbers[0] + (1 - beta2) * norms[0] * norms[0];
    const double root = std::sqrt(numbers[0]) + eps;
    Novograd tensor = *this;
    tensor.factor = coefficient<T>("1 / (sqrt(v) + eps)", root == 0 ? 0 : 1 / root);
    return tensor;
  }

  void operator()(T& w, T g, T& m) const {
    m = beta1 * m + (factor * g + weight_decay * w);
    w -= lr * m;
  }
};

Rule novograd(const NovogradOptions& options = {});

}  // namespace tandem
