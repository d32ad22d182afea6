// Closed forms and 2x2 matrices. See theory.h.
#include <algorithm>
#include <cmath>
#include <limits>

#include "theory.h"

namespace tandem::quadratic {

namespace {

/// Acts on (theta, v).
struct Matrix {
  double a = 1, b = 0, c = 0, d = 1;
};

Matrix operator*(const Matrix& x, const Matrix& y) {
  return {x.a * y.a + x.b * y.c, x.a * y.b + x.b * y.d, x.c * y.a + x.d * y.c, x.c * y.b + x.d * y.d};
}

Matrix power(const Matrix& x, int n) {
  Matrix y;
  for (int i = 0; i < n; ++i) y = x * y;
  return y;
}

double spectral_radius(const Matrix& m) {
  const double half_trace = (m.a + m.d) / 2, determinant = m.a * m.d - m.b * m.c;
  const double square = half_trace * half_trace - determinant;
  return square < 0 ? std::sqrt(determinant) : std::abs(half_trace) + std::sqrt(square);
}

/// The spectral radius of a whole cycle.
double cycle_contraction(const HeavyBall& h, double step) {
  const double al = h.alpha;
  const Matrix p = power({1 - step, h.momentum, -step, h.momentum}, h.k);
  switch (h.state) {
    case State::maintain:
      return spectral_radius({1 - al + al * p.a, al * p.b, p.c, p.d});
    case State::interpolate:
      return spectral_radius({1 - al + al * p.a, al * p.b, al * p.c, 1 - al + al * p.d});
    case State::reset:
      break;
  }
  return std::abs(1 - al + al * p.a);
}

}  // namespace

double sgd_variance(const NoisyQuadratic& q) {
  const double step = q.lr * q.curvature, left = 1 - (1 - step) * (1 - step);
  return left > 0 ? step * step * q.noise * q.noise / left : std::numeric_limits<double>::infinity();
}

double lookahead_variance(const NoisyQuadratic& q, int k, double alpha) {
  const double r = std::pow(1 - q.lr * q.curvature, k), fast = alpha * alpha * (1 - r * r);
  return fast / (fast + 2 * alpha * (1 - alpha) * (1 - r)) * sgd_variance(q);
}

double second_moment_after(const NoisyQuadratic& q, int k, double alpha, double start, int steps) {
  const double keep = 1 - q.lr * q.curvature, kick = q.lr * q.curvature * q.noise;
  double mean = start, variance = 0;
  for (int cycle = 0; cycle < steps / k; ++cycle) {
    double factor = 1, added = 0;  // theta_k = factor * slow + noise of variance `added`
    for (int i = 0; i < k; ++i) {
      factor *= keep;
      added = keep * keep * added + kick * kick;
    }
    const double pull = 1 - alpha + alpha * factor;
    mean *= pull;
    variance = pull * pull * variance + alpha * alpha * added;
  }
  return mean * mean + variance;
}

std::string to_string(State state) {
  switch (state) {
    case State::maintain:
      return "maintain";
    case State::interpolate:
      return "interpolate";
    case State::reset:
      break;
  }
  return "reset";
}

double contraction(const HeavyBall& h, double lr, double curvature) {
  return std::pow(cycle_contraction(h, lr * curvature), 1.0 / h.k);
}

std::vector<double> curvature_grid(double condition, int points) {
  std::vector<double> grid;
  for (int i = 0; i < points; ++i) grid.push_back(std::pow(condition, -static_cast<double>(i) / (points - 1)));
  return grid;
}

double worst_contraction(const HeavyBall& h, double lr, const std::vector<double>& curvatures) {
  double worst = 0;
  for (const double curvature : curvatures) worst = std::max(worst, cycle_contraction(h, lr * curvature));
  return std::pow(worst, 1.0 / h.k);
}

double worst_contraction(const HeavyBall& h, double lr, double condition, int points) {
  return worst_contraction(h, lr, curvature_grid(condition, points));
}

BestRate best_rate(const HeavyBall& h, double condition) {
  const double most = 2 * (1 + h.momentum);  // the heavy ball alone diverges beyond, at curvature 1
  double low = most / 1e4, high = most;
  const std::vector<double> curvatures = curvature_grid(condition);
  BestRate best{-std::numeric_limits<double>::infinity(), low};
  for (int round = 0; round < 4; ++round) {
    constexpr int kPoints = 200;
    const double ratio = std::pow(high / low, 1.0 / (kPoints - 1));
    for (int i = 0; i < kPoints; ++i) {
      const double lr = low * std::pow(ratio, i), rate = 1 - worst_contraction(h, lr, curvatures);
      if (rate > best.rate) best = {rate, lr};
    }
    low = best.lr / (ratio * ratio);
    high = std::min(most, best.lr * ratio * ratio);
  }
  return best;
}

}  // namespace tandem::quadratic
