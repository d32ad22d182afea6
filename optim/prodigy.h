// prodigy: Mishchenko & Defazio 2023, "Prodigy: an expeditiously adaptive parameter-free learner", algorithm 4: Adam
// whose step is scaled by d, an estimate from below of the distance to the solution. lr stays at 1, or is a schedule.
//
//   x0 <- w in the first step
//   r <- sqrt(beta2) r + (1 - sqrt(beta2)) lr d^2 <g, x0 - w>      the sum over all weights of the group
//   s <- sqrt(beta2) s + (1 - sqrt(beta2)) lr d^2 g
//   m <- beta1 m + (1 - beta1) d g,   v <- beta2 v + (1 - beta2) d^2 g^2
//   w <- w - lr d (weight_decay w + m / (sqrt(v) + d eps))
//   d <- max(d, d_coef r / |s|_1)                                  d0 in the first step
#pragma once

#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct ProdigyOptions {
  Schedule lr = 1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, d0 = 1e-6, d_coef = 1, weight_decay = 0;
  bool no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("d0", d0, {.is_low_open = true});
    f("d_coef", d_coef, {.is_low_open = true});
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Prodigy {
  using Options = ProdigyOptions;
  static constexpr const char* kName = "prodigy";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}, State{"s"},
                                        State{"x0"}};
  static constexpr std::array kShared = {"d", "numerator"};
  static constexpr std::size_t kSums = 2;

  double lr, beta1, beta2, eps, d0, d_coef, weight_decay;
  T first, kept{}, beta1_m{}, beta2_v{}, of_m{}, of_v{}, root_beta2{}, of_s{}, scaled_lr{}, scaled_eps{};

  Prodigy(const Options& h, Step t)
      : lr(h.lr(t)), beta1(h.beta1(t)), beta2(h.beta2(t)), eps(h.eps(t)), d0(h.d0(t)), d_coef(h.d_coef(t)) {
    weight_decay = h.weight_decay(t), first = coefficient<T>("is first step", t.count == 1);
  }
  Prodigy shared(const std::array<double, 2>& numbers) const {
    const double d = std::max(numbers[0], d0), root = std::sqrt(beta2);
    Prodigy p = *this;
    p.kept = coefficient<T>("1 - lr d weight_decay", 1 - lr * d * weight_decay);
    p.beta1_m = coefficient<T>("beta1", beta1), p.of_m = coefficient<T>("(1 - beta1) d", (1 - beta1) * d);
    p.beta2_v = coefficient<T>("beta2", beta2), p.of_v = coefficient<T>("(1 - beta2) d^2", (1 - beta2) * d * d);
    p.root_beta2 = coefficient<T>("sqrt(beta2)", root);
    p.of_s = coefficient<T>("(1 - sqrt(beta2)) lr d^2", (1 - root) * lr * d * d);
    p.scaled_lr = coefficient<T>("lr d", lr * d), p.scaled_eps = coefficient<T>("d eps", d * eps);
    return p;
  }

  std::array<T, 2> summed(T w, T g, T, T, T s, T x0) const {
    using std::abs;
    return {of_s * g * ((first > 0 ? w : x0) - w), abs(root_beta2 * s + of_s * g)};
  }
  void conclude(const std::array<double, 2>& sums, std::array<double, 2>& numbers) const {
    auto& [d, r] = numbers;
    r = std::sqrt(beta2) * r + sums[0];
    d = std::max(d, d0);
    if (sums[1] > 0) d = std::max(d, d_coef * r / sums[1]);
  }

  void operator()(T& w, T g, T& m, T& v, T& s, T& x0) const {
    using std::sqrt;
    x0 = first > 0 ? w : x0;
    m = beta1_m * m + of_m * g;
    v = beta2_v * v + of_v * g * g;
    s = root_beta2 * s + of_s * g;
    w = kept * w - scaled_lr * m / (sqrt(v) + scaled_eps);
  }
};

Rule prodigy(const ProdigyOptions& options = {});

}  // namespace tandem
