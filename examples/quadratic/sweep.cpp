// The moments of every coordinate in closed form: the mean shrinks by p a cycle, the variance nears its limit V by p^2.
#include "sweep.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tandem::quadratic {
namespace {

/// What a cycle does with the mean of a coordinate.
double cycle_factor(const Method& m, double curvature) {
  return 1 - m.alpha + m.alpha * std::pow(1 - m.lr * curvature, m.k);
}

/// Steps of whole cycles until the loss is at most `most`; the loss falls from cycle to cycle where start^2 > V.
int steps_until(const Spectrum& s, const Method& m, double most) {
  int high = 1;
  while (loss_after(s, m, high) > most) {
    if (high > 1 << 26) return std::numeric_limits<int>::max();  // out of reach
    high *= 2;
  }
  int low = high / 2;  // above `most`, or 0
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (loss_after(s, m, middle) > most ? low : high) = middle;
  }
  return high * m.k;
}

}  // namespace

double loss_after(const Spectrum& s, const Method& m, int cycles) {
  double loss = 0;
  for (const double a : s.curvatures) {
    const double limit = lookahead_variance({.curvature = a, .lr = m.lr, .noise = s.noise}, m.k, m.alpha);
    const double left = std::pow(cycle_factor(m, a), 2.0 * cycles);
    loss += a / 2 * (left * s.start * s.start + (1 - left) * limit);
  }
  return loss / static_cast<double>(s.curvatures.size());
}

double final_loss(const Spectrum& s, const Method& m) {
  double loss = 0;
  for (const double a : s.curvatures)
    loss += a / 2 * lookahead_variance({.curvature = a, .lr = m.lr, .noise = s.noise}, m.k, m.alpha);
  return loss / static_cast<double>(s.curvatures.size());
}

double target_loss(const Spectrum& s, double final, double left) {
  return final + left * (loss_after(s, {}, 0) - final);
}

int steps_to_target(const Spectrum& s, const Method& m, double left) {
  return steps_until(s, m, target_loss(s, final_loss(s, m), left));
}

int steps_to_final(const Spectrum& s, const Method& m, double fraction) {
  return steps_until(s, m, final_loss(s, m) * (1 + fraction));
}

std::optional<Method> method_ending_at(const Spectrum& s, double final, int k, double alpha) {
  const double most = 2 / *std::max_element(s.curvatures.begin(), s.curvatures.end());
  double low = most * 1e-6, high = most * (1 - 1e-6);  // final_loss rises with the lr
  if (final_loss(s, {low, k, alpha}) > final || final_loss(s, {high, k, alpha}) < final) return std::nullopt;
  while (high / low > 1 + 1e-13) {
    const double middle = std::sqrt(low * high);
    (final_loss(s, {middle, k, alpha}) < final ? low : high) = middle;
  }
  return Method{high, k, alpha};
}

std::vector<SweepPoint> sweep(const Spectrum& s, const std::vector<double>& finals, int k,
                              const std::vector<double>& alphas, double left) {
  std::vector<SweepPoint> points;
  const auto add = [&](double final, int cycle, double alpha) {
    const auto method = method_ending_at(s, final, cycle, alpha);
    if (method) points.push_back({final, *method, steps_to_target(s, *method, left)});
  };
  for (const double final : finals) {
    add(final, 1, 1);
    for (const double alpha : alphas) add(final, k, alpha);
  }
  return points;
}

}  // namespace tandem::quadratic
