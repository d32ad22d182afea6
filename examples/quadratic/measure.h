// The two quadratics as an Optimizer meets them: many independent copies of theta in one parameter, gradients by
// autograd, noise from a Generator. Nothing here knows a formula; theory.h has them.
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/core/generator.h>
#include <tandem/optim/rule.h>

#include "sweep.h"

namespace tandem::quadratic {

/// Between the steps of all that is measured: throws train::Interrupted once Ctrl-C was noted (train/program.h).
void check_interrupt();

/// An average over copies.
struct Estimate {
  double mean = 0;
  double standard_error = 0;

  /// (mean - theory) / standard_error.
  double deviation(double theory) const { return (mean - theory) / standard_error; }
};
Estimate estimate(const std::vector<double>& copies);

/// sgd, or lookahead(sgd).
Rule rule_of(const Method& m);
/// momentum, or lookahead(momentum).
Rule rule_of(const HeavyBall& h, double lr);

// Work below is shared out to threads() threads; the results do not depend on their number.

/// A noisy quadratic and methods on it that see the same noise.
struct VarianceSetting {
  NoisyQuadratic quadratic;
  std::vector<Method> methods;
  int every = 1;   ///< steps in a cycle
  int cycles = 2;  ///< the first half is left out, the second is averaged over the ends of cycles
};
/// E theta^2 of the evaluation weights in the long run, from theta = 0: for each setting one Estimate a method.
std::vector<std::vector<Estimate>> measure_variances(const std::vector<VarianceSetting>& settings, std::int64_t copies,
                                                     const Generator& noise);

/// A descent of copies of a Spectrum, and what came of it.
struct DescentPlan {
  Method method;
  double target = 0;
  int look = 0;   ///< a step at which to look: a whole number of cycles
  int steps = 0;  ///< the whole length
};
struct Descent {
  int steps = 0;      ///< until the mean loss of all copies was at most the target; 0: not reached
  Estimate at_look;   ///< the loss after `look` steps
  Estimate long_run;  ///< the loss averaged over the second half of the steps
};
std::vector<Descent> measure_descents(const Spectrum& s, const std::vector<DescentPlan>& plans, std::int64_t copies,
                                      const Generator& noise);

/// A heavy ball on a quadratic without noise, one coordinate a curvature, all begun at 1, in f64.
struct DecayPlan {
  HeavyBall method;
  double lr = 0;
  std::vector<double> curvatures;
  int steps = 0;
};
/// The contraction per step of |theta|: the slope of log |theta| at the ends of cycles over the second half of the
/// steps, fitted by least squares.
std::vector<double> measure_contractions(const std::vector<DecayPlan>& plans);

}  // namespace tandem::quadratic
