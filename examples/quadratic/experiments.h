// The experiments of `quadratic`: which settings are tried, and what was found, formula beside measurement. Each is one
// function that gives rows; another experiment is another struct and function here, and a table and file of its rows in
// tables.h and files.h.
#pragma once

#include <optional>
#include <vector>

#include "measure.h"

namespace tandem::quadratic {

/// How much is measured.
struct Effort {
  std::int64_t copies = 16384;       ///< of theta, averaged over
  std::int64_t rate_steps = 100000;  ///< at most, to measure a rate
  std::uint64_t seed = 0;
};

/// Steady-state variance of a method on one coordinate.
struct VarianceRow {
  NoisyQuadratic quadratic;
  Method method;
  double theory = 0;
  Estimate measured;
  double deviation() const { return measured.deviation(theory); }
};
/// Six settings, SGD and Lookahead in turn.
std::vector<VarianceRow> run_variance(const Effort& effort);

/// SGD and Lookahead with the same final loss: formula, and for some a measurement.
struct ConvergenceRow {
  SweepPoint point;
  int look = 0;               ///< a step near the target, and the loss there by the formula
  double theory_at_look = 0;  //
  Descent measured;
};
struct Convergence {
  Spectrum spectrum;
  double left = 0.01;  ///< of the way from the start to the final loss, at the target
  int k = 5;
  std::vector<SweepPoint> sweep;
  std::vector<ConvergenceRow> measured;  ///< at some final losses SGD, then the quickest Lookahead
};
Convergence run_convergence(const Effort& effort);
/// The quickest point of Lookahead (or of SGD) at this final loss.
std::optional<SweepPoint> quickest(const std::vector<SweepPoint>& sweep, double final, bool is_lookahead);

/// The rate (1 - contraction per step) of a heavy ball, worst over curvatures in [1 / condition, 1].
struct RateRow {
  HeavyBall method;
  double condition = 100;
  double lr = 0;
  double theory = 0;
  std::optional<double> measured = {};
};
struct Rates {
  std::vector<RateRow> by_condition;  ///< momentum .99, the best lr for each method; the heavy ball alone, then the six
                                      ///< Lookaheads of k = 5, 20 and maintain, interpolate, reset; seven a condition
  std::vector<RateRow> by_momentum;   ///< condition 100, the same seven a momentum
  std::vector<RateRow> at_lr_one;     ///< momentum .99, condition 1000, lr 1: the ball alone, and the three with k = 5
};
Rates run_rates(const Effort& effort);

}  // namespace tandem::quadratic
