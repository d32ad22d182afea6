// rprop: Riedmiller & Braun 1993, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm",
// in the form of PyTorch (iRprop- of Igel & Huesken 2000): after a change of sign the weight stays for one step. For
// gradients of all data, not of small batches. lr is what step starts from, and has no part afterwards.
//
//   eta = eta_plus where g g_before > 0, eta_minus where it is < 0, else 1
//   step <- clip(step eta, min_step_size, max_step_size)
//   g <- 0 where g g_before < 0
//   w <- w - step sign(g)
#pragma once

#include <algorithm>

#include <tandem/optim/leaf.h>

namespace tandem {

struct RpropOptions {
  Schedule lr = 1e-2, eta_minus = 0.5, eta_plus = 1.2, min_step_size = 1e-6, max_step_size = 50;

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("eta_minus", eta_minus, {.high = 1, .is_low_open = true, .is_high_open = true});
    f("eta_plus", eta_plus, {.low = 1, .is_low_open = true});
    f("min_step_size", min_step_size, kNotNegative);
    f("max_step_size", max_step_size, kNotNegative);
  }
};

template <class T>
struct Rprop {
  using Options = RpropOptions;
  static constexpr const char* kName = "rprop";
  static constexpr std::array kState = {State{"prev"}, State{"step_size"}};

  T lr, eta_minus, eta_plus, least, most;
  bool is_first;

  Rprop(const Options& h, Step t)
      : lr(coefficient<T>("lr", h.lr(t))),
        eta_minus(coefficient<T>("eta_minus", h.eta_minus(t))),
        eta_plus(coefficient<T>("eta_plus", h.eta_plus(t))),
        least(coefficient<T>("min_step_size", h.min_step_size(t))),
        most(coefficient<T>("max_step_size", h.max_step_size(t))),
        is_first(t.count == 1) {}

  void operator()(T& w, T g, T& before, T& step) const {
    using std::max, std::min;
    const T agreement = g * before;
    const T eta = agreement > 0 ? eta_plus : agreement < 0 ? eta_minus : T(1);
    const T wanted = is_first ? lr : step * eta;
    step = min(max(wanted, least), most);
    before = agreement < 0 ? T(0) : g;
    w -= before > 0 ? step : before < 0 ? -step : before;  // a NaN stays one
  }
};

Rule rprop(const RpropOptions& options = {});

}  // namespace tandem
