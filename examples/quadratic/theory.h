// The two quadratics on which Lookahead can be computed exactly (Zhang, Lucas, Hinton, Ba 2019, sections 3.1 and 3.2):
// what `quadratic` measures is held against these formulas. Not here: convergence at equal final loss
// (sweep.h), the measuring (measure.h).
#pragma once

#include <string>
#include <vector>

namespace tandem::quadratic {

/// One coordinate of the noisy quadratic L = a/2 (theta - c)^2 with c ~ N(0, noise^2), under SGD with this lr.
struct NoisyQuadratic {
  double curvature = 1;  ///< a
  double lr = 0.1;       ///< gamma
  double noise = 1;      ///< standard deviation of c
};

/// E theta^2 in the long run under SGD: gamma^2 a^2 s^2 / (1 - (1 - gamma a)^2). Infinite where SGD diverges.
double sgd_variance(const NoisyQuadratic& q);

/// The same for the slow weights of Lookahead, with r = (1 - gamma a)^k:
///   alpha^2 (1 - r^2) / (alpha^2 (1 - r^2) + 2 alpha (1 - alpha) (1 - r)) * sgd_variance.
double lookahead_variance(const NoisyQuadratic& q, int k, double alpha);

/// The variance after `steps` inner steps from a start without variance at distance `start`, followed step by step:
/// the loss E theta^2 of the weights that evaluation uses. k = 1 and alpha = 1 is SGD. Steps are whole cycles of k.
double second_moment_after(const NoisyQuadratic& q, int k, double alpha, double start, int steps);

/// What a sync does with the momentum buffer.
enum class State { maintain, interpolate, reset };
std::string to_string(State state);

/// Heavy ball on curvature a: v <- b v - gamma a theta; theta <- theta + v, under Lookahead. Tandem's momentum() keeps
/// v without the lr (v <- b v + g; theta <- theta - gamma v): at a constant lr the same theta, in each State.
struct HeavyBall {
  double momentum = 0.9;  ///< b
  int k = 1;              ///< k = 1 with alpha = 1 is the heavy ball alone
  double alpha = 1;
  State state = State::maintain;
};

/// Contraction per inner step: the spectral radius of one cycle, to the power 1/k. Above 1: divergence.
double contraction(const HeavyBall& h, double lr, double curvature);

/// Curvatures from 1 down to 1 / condition, both included, equally spaced in the logarithm.
std::vector<double> curvature_grid(double condition, int points = 200);

/// The slowest contraction over curvatures: given ones, or a grid.
double worst_contraction(const HeavyBall& h, double lr, const std::vector<double>& curvatures);
double worst_contraction(const HeavyBall& h, double lr, double condition, int points = 200);

struct BestRate {
  double rate;  ///< 1 - contraction per inner step; below 0: diverges for every lr tried
  double lr;
};
/// The lr in (0, 2 (1 + b)] with the best worst contraction: a grid, refined round its best three times.
BestRate best_rate(const HeavyBall& h, double condition);

}  // namespace tandem::quadratic
