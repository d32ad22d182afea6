// Convergence at equal final loss on the noisy quadratic, by formula: what the Lookahead paper's figure compares. At
// equal lr Lookahead ends lower and starts slower; fair is to give each method the lr with which both end at the same
// loss, and to count the steps. Not here: one coordinate alone (theory.h), measuring (measure.h).
#pragma once

#include <optional>
#include <vector>

#include "theory.h"

namespace tandem::quadratic {

/// Independent coordinates L = mean_i a_i/2 (theta_i - c_i)^2 with c_i ~ N(0, noise^2), each theta_i begun at `start`.
/// Loss below means E mean_i a_i/2 theta_i^2: what is above the loss of the optimum.
struct Spectrum {
  std::vector<double> curvatures;
  double start = 10;
  double noise = 1;
};

/// SGD, or Lookahead round it.
struct Method {
  double lr = 0.1;
  int k = 1;  ///< k = 1 with alpha = 1 is SGD
  double alpha = 1;
};

/// The loss in the long run, of slow weights. Infinite where the method diverges.
double final_loss(const Spectrum& s, const Method& m);
/// The loss after so many cycles of k steps.
double loss_after(const Spectrum& s, const Method& m, int cycles);

/// The loss at which only `left` (0.01: a hundredth) of the way from the start to `final` remains.
double target_loss(const Spectrum& s, double final, double left);
/// Steps until the loss is at target_loss(final_loss): whole cycles.
int steps_to_target(const Spectrum& s, const Method& m, double left);
/// Steps until the loss is within this fraction of final_loss: whole cycles.
int steps_to_final(const Spectrum& s, const Method& m, double fraction);

/// The method with the lr that ends at this loss; nothing where no lr below 2 / (largest curvature) does.
std::optional<Method> method_ending_at(const Spectrum& s, double final, int k, double alpha);

/// A point of the sweep: `steps` of `method` to the target of `final`.
struct SweepPoint {
  double final = 0;
  Method method;
  int steps = 0;
};

/// All methods (SGD, and Lookahead with this k for each alpha) at each final loss at which they can end.
std::vector<SweepPoint> sweep(const Spectrum& s, const std::vector<double>& finals, int k,
                              const std::vector<double>& alphas, double left);

}  // namespace tandem::quadratic
