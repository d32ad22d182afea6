// rmsprop: Tieleman & Hinton 2012, "Lecture 6.5: RMSprop" (Coursera); centered: Graves 2013, "Generating sequences with
// recurrent neural networks", eq. 38-45. eps outside the root as in PyTorch, whose alpha is rho here.
//
//   s <- rho s + (1 - rho) g^2
//   a <- rho a + (1 - rho) g                                 centered only; else a = 0
//   v <- momentum v + g / (sqrt(max(s - a^2, 0)) + eps)
//   w <- w - lr v
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct RmspropOptions {
  Schedule lr = 1e-2, rho = 0.99, eps = 1e-8, momentum = 0, weight_decay = 0;
  bool centered = false;  ///< divide by the deviation of the gradients, not by their root mean square
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("rho", rho, kMoment);
    f("eps", eps, kNotNegative);
    f("momentum", momentum, kMoment);
    f("centered", centered);
    weight_decay_fields(f, *this);
  }
};

template <class T, bool kCentered>
struct RmspropOf {
  using Options = RmspropOptions;
  using Variant = RmspropOf<T, true>;
  static constexpr const char* kName = "rmsprop";
  static constexpr State kAll[] = {{"square_avg"}, {"momentum_buffer", Role::first_moment}, {"grad_avg"}};
  static constexpr auto kState = first_states<(kCentered ? 3 : 2)>(kAll);

  WeightDecay<T> decay;
  T lr, rho, one_minus_rho, eps, momentum;
  RmspropOf(const Options& h, Step t) : decay(h, t) {
    lr = coefficient<T>("lr", h.lr(t)), eps = coefficient<T>("eps", h.eps(t)),
    momentum = coefficient<T>("momentum", h.momentum(t));
    rho = coefficient<T>("rho", h.rho(t)), one_minus_rho = coefficient<T>("1 - rho", 1 - h.rho(t));
  }
  static bool wants_variant(const Options& h) { return h.centered && !kCentered; }

  template <class... A>  // T& a, or nothing
  void operator()(T& w, T g, T& s, T& v, A&... a) const {
    using std::sqrt;
    decay(w, g);
    s = rho * s + one_minus_rho * g * g;
    ((a = rho * a + one_minus_rho * g), ...);
    T square = (s - ... - (a * a));
    if constexpr (kCentered) square = square < 0 ? T(0) : square;  // rounding: s and a^2 may be almost equal
    v = momentum * v + g / (sqrt(square) + eps);
    w -= lr * v;
  }
};
template <class T>
using Rmsprop = RmspropOf<T, false>;

Rule rmsprop(const RmspropOptions& options = {});

}  // namespace tandem
