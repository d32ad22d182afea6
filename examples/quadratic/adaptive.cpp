// Each copy has an optimizer of its own: alpha is chosen from all weights of one. See adaptive.h.
#include "adaptive.h"

#include <algorithm>
#include <cmath>

#include <tandem/autograd/ops.h>
#include <tandem/core/threads.h>
#include <tandem/optim/lookahead.h>
#include <tandem/optim/momentum.h>
#include <tandem/optim/optimizer.h>
#include <tandem/optim/sgd.h>

namespace tandem::quadratic {
namespace {

constexpr std::uint64_t kStream = 3;  // of the seed

Rule rule_of(const AdaptiveSetting& s, std::optional<double> alpha) {
  const Rule inner = s.momentum > 0 ? momentum({.lr = s.lr, .momentum = s.momentum}) : sgd({.lr = s.lr});
  if (!alpha) return lookahead(inner, {.k = kAdaptivePeriod, .adaptive = true, .alpha_low = kAdaptiveLow});
  return lookahead(inner, {.k = kAdaptivePeriod, .alpha = *alpha});
}

/// mean_i a_i/2 theta_i^2 of the evaluation weights of one copy at step 0 and the end of each cycle, in f64.
std::vector<double> descend(const AdaptiveSetting& s, const Rule& rule, Generator noise) {
  const auto coordinates = static_cast<std::int64_t>(s.spectrum.curvatures.size());
  std::vector<double> half_curvatures;
  for (const double a : s.spectrum.curvatures) half_curvatures.push_back(a / 2);
  const Tensor half_curvature(Array::from(half_curvatures, {coordinates}));
  const Tensor theta(Array::full({coordinates}, s.spectrum.start, DType::f64), true);
  Optimizer optimizer({{"theta", theta}}, rule);
  Array center = Array::zeros({coordinates}, DType::f64);
  std::vector<double> losses;
  const auto look = [&] {
    const auto slow = optimizer.evaluation_weights();
    double loss = 0;
    const std::vector<double> now = theta.value().to_vector<double>();
    for (std::size_t i = 0; i < now.size(); ++i) loss += half_curvatures[i] * now[i] * now[i];
    losses.push_back(loss / static_cast<double>(coordinates));
  };
  look();
  for (int step = 1; step <= s.steps; ++step) {
    check_interrupt();
    if (s.spectrum.noise > 0) noise.fill_normal(center, 0, s.spectrum.noise);
    optimizer.step([&] {
      const Tensor loss = sum(square(theta - Tensor(center)) * half_curvature);
      loss.backward();
      return loss;
    });
    if (step % kAdaptivePeriod == 0) look();
  }
  return losses;
}

AdaptiveRow measure(const AdaptiveSetting& s, std::optional<double> alpha, const Generator& noise) {
  const Rule rule = rule_of(s, alpha);
  AdaptiveRow row{s, alpha, rule.describe(), {}, {}, {}};
  std::vector<std::vector<double>> by_copy(static_cast<std::size_t>(s.copies));
  parallel_for(s.copies, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto copy = begin; copy < end; ++copy)  // the same noise for every alpha
      by_copy[static_cast<std::size_t>(copy)] = descend(s, rule, noise.split(static_cast<std::uint64_t>(copy)));
  });
  for (int cycle = 0; cycle * kAdaptivePeriod <= s.steps; ++cycle) {
    std::vector<double> losses;
    for (const std::vector<double>& copy : by_copy) losses.push_back(copy[static_cast<std::size_t>(cycle)]);
    row.steps.push_back(cycle * kAdaptivePeriod);
    row.losses.push_back(s.copies > 1 ? estimate(losses) : Estimate{losses.front(), 0});
    if (alpha && s.momentum == 0) row.theory.push_back(loss_after(s.spectrum, {s.lr, kAdaptivePeriod, *alpha}, cycle));
  }
  return row;
}

}  // namespace

std::optional<int> AdaptiveRow::steps_to(double part) const {
  for (std::size_t i = 0; i < losses.size(); ++i)
    if (losses[i].mean <= part * losses.front().mean) return steps[i];
  return std::nullopt;
}

std::vector<AdaptiveRow> run_adaptive(std::int64_t copies, std::uint64_t seed) {
  const std::vector<double> curvatures = curvature_grid(100, 16);
  const std::vector<AdaptiveSetting> settings = {
      {"sgd, no noise", {curvatures, 10, 0}, 1.9, 0, 1},
      {"heavy ball, no noise", {curvatures, 10, 0}, 0.5, 0.9, 1},
      {"sgd, noise 1", {curvatures, 10, 1}, 1.0, 0, copies},
  };
  std::vector<AdaptiveRow> rows;
  for (const AdaptiveSetting& setting : settings)
    for (const std::optional<double> alpha :
         {std::optional<double>(0.2), std::optional<double>(0.5), std::optional<double>(0.8), std::optional<double>(1),
          std::optional<double>()})
      rows.push_back(measure(setting, alpha, Generator(seed, kStream)));
  return rows;
}

}  // namespace tandem::quadratic
