// See step_quality.h: weighted least squares with three unknowns, by the normal equations.
#include <tandem/optim/study/step_quality.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tandem {
namespace {

/// Variances of zero would be weights without end; this part of the largest one is as good as exact.
constexpr double kExact = 1e-8;

struct Row {
  double c, b, a, value, variance;  // of c + b t + a t^2
};

}  // namespace

double step_quality(const LineEnd& before, const LineEnd& after) {
  Row rows[] = {{1, 0, 0, before.loss, before.loss_variance},
                {1, 1, 1, after.loss, after.loss_variance},
                {0, 1, 0, before.slope, before.slope_variance},
                {0, 1, 2, after.slope, after.slope_variance}};
  double largest = 0;
  for (const Row& row : rows) {
    if (!std::isfinite(row.value) || !std::isfinite(row.variance)) return std::numeric_limits<double>::quiet_NaN();
    largest = std::max(largest, row.variance);
  }
  double m[3][4] = {};
  for (const Row& row : rows) {
    const double weight = largest > 0 ? 1 / std::max(row.variance / largest, kExact) : 1;
    const double x[] = {row.c, row.b, row.a};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) m[i][j] += weight * x[i] * x[j];
      m[i][3] += weight * x[i] * row.value;
    }
  }
  for (int p = 0; p < 3; ++p) {  // symmetric and positive: the pivots need no choice
    for (int i = p + 1; i < 3; ++i) {
      const double factor = m[i][p] / m[p][p];
      for (int j = p; j < 4; ++j) m[i][j] -= factor * m[p][j];
    }
  }
  const double a = m[2][3] / m[2][2], b = (m[1][3] - m[1][2] * a) / m[1][1];
  if (!(a > 0) || b == 0) return -1;
  return -2 * a / b - 1;
}

}  // namespace tandem
