// lookahead: k steps forward, 1 step back (Zhang, Lucas, Hinton, Ba 2019, "Lookahead Optimizer: k steps forward, 1 step
// back", algorithm 1). Fast weights explore with the inner rule, slow weights follow:
//
//   every k steps (a sync):   slow <- slow + alpha (fast - slow)
//                             fast <- slow
//
// It is the outer loop (outer_loop.h) whose outer rule is sgd(lr = alpha), and it nests to any depth. Evaluate on slow
// weights: Optimizer::evaluation_weights(). Batch-norm statistics belong to the fast weights.
//
// Read next: reference/lookahead.h, the algorithm on plain vectors; lookahead.cpp, the same inside the optimizer's
// pass.
#pragma once

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/rule.h>

namespace tandem {

struct LookaheadOptions {
  Schedule k = 5;                           ///< steps of the optimizer in a cycle, at every level of a nest
  Schedule alpha = 0.5;                     ///< in [0, 1]; 1 is the inner rule, exactly
  InnerState state = InnerState::maintain;  ///< of the inner rule at a sync
  bool adaptive = false;                    ///< alpha is chosen at every sync; needs step(closure)
  Schedule alpha_low = 0.5;                 ///< the least alpha that adaptive chooses; 1 is the largest
  bool workers = false;                     ///< the pull is towards the mean of all workers' fast weights

  void fields(Fields& f) {
    f("k", k, kCount, kAlways);
    f("alpha", alpha, {.high = 1, .remedy = "1 is the plain inner optimizer"}, kAlways);
    f("state", state);
    f("adaptive", adaptive);
    f("alpha_low", alpha_low, {.high = 1});
    f("workers", workers);
  }
};

/// The pull for one weight: what sgd(lr = alpha) does with the pseudo-gradient slow - fast.
template <class T>
struct Pull {
  static constexpr const char* kName = "pull";
  static constexpr std::array kNames = {"slow", "fast"};
  static constexpr auto kState = kNoState;
  T alpha;
  void operator()(T& slow, T fast) const { slow -= alpha * (slow - fast); }
};

/// adaptive: alpha minimises the loss of one batch between the slow and the fast weights, taken for a parabola whose
/// slope is known at both ends (section 3.1 of the paper, in secant form). With d = fast - slow, g0 the gradient at the
/// slow weights and gk at the fast ones:
///
///   alpha = d.g0 / (d.(g0 - gk))     clipped to [alpha_low, 1]
///
/// Where the loss does not curve upwards along d: 1 downhill, else alpha_low.
///
/// k is a whole number, or a schedule that is rounded to one. Throws UsageError when k < 1 or alpha is outside [0, 1].
/// Slow weights start as the weights at binding.
/// Example: Optimizer optimizer(model.parameters(), lookahead(adam({.lr = 3e-4}), {.k = 5, .alpha = 0.5}));
Rule lookahead(const Rule& inner, const LookaheadOptions& options = {});

}  // namespace tandem
