// Settings, plans for the measurements, and rows. How long to measure is planned by formula, what is measured is not.
#include "experiments.h"

#include <algorithm>
#include <cmath>

#include <tandem/core/threads.h>

namespace tandem::quadratic {
namespace {

/// Streams of the seed.
enum Stream : std::uint64_t { kVariance = 1, kConvergence = 2 };

/// Cycles of `every` steps until a mean would have shrunk to 1 %, and a variance come within 1e-4 of its limit.
int settling_cycles(const NoisyQuadratic& q, const Method& m, int every) {
  const double factor = std::abs(1 - m.alpha + m.alpha * std::pow(1 - q.lr * q.curvature, m.k));
  return static_cast<int>(std::ceil(std::log(0.01) / std::log(factor) * m.k / every));
}

/// The heavy ball alone, and Lookahead round it: k = 5, then 20.
std::vector<HeavyBall> seven_methods(double momentum) {
  std::vector<HeavyBall> methods = {{.momentum = momentum}};
  for (const int k : {5, 20})
    for (const State state : {State::maintain, State::interpolate, State::reset})
      methods.push_back({.momentum = momentum, .k = k, .alpha = 0.5, .state = state});
  return methods;
}

void measure_rates(const std::vector<RateRow*>& rows, const Effort& effort) {
  std::vector<DecayPlan> plans;
  for (const RateRow* row : rows) {
    const double enough = 200 / std::abs(row->theory);  // |theta| falls to e^-200, or grows
    const double steps = std::min(enough, static_cast<double>(effort.rate_steps));
    plans.push_back({row->method, row->lr, curvature_grid(row->condition), static_cast<int>(steps)});
  }
  const std::vector<double> contractions = measure_contractions(plans);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i]->measured = 1 - contractions[i];
}

}  // namespace

std::vector<VarianceRow> run_variance(const Effort& effort) {
  struct Setting {
    double curvature, lr;
    int k;
    double alpha;
  };
  constexpr Setting kSettings[] = {{1, .5, 5, .5},   {1, .5, 5, .8},    {1, .1, 5, .5},
                                   {.1, .5, 10, .5}, {.01, .5, 20, .2}, {1, 1.5, 5, .5}};
  std::vector<VarianceSetting> plans;
  for (const Setting& s : kSettings) {
    VarianceSetting plan;
    plan.quadratic = {.curvature = s.curvature, .lr = s.lr, .noise = 1};
    plan.methods = {{.lr = s.lr}, {.lr = s.lr, .k = s.k, .alpha = s.alpha}};
    plan.every = s.k;
    for (const Method& method : plan.methods)
      plan.cycles = std::max(plan.cycles, 2 * settling_cycles(plan.quadratic, method, s.k));
    plan.cycles = std::max(plan.cycles, 40);
    plans.push_back(plan);
  }
  const auto measured = measure_variances(plans, effort.copies, Generator(effort.seed, kVariance));
  std::vector<VarianceRow> rows;
  for (std::size_t s = 0; s < plans.size(); ++s) {
    for (std::size_t m = 0; m < plans[s].methods.size(); ++m) {
      const Method& method = plans[s].methods[m];
      const double theory = lookahead_variance(plans[s].quadratic, method.k, method.alpha);
      rows.push_back({plans[s].quadratic, method, theory, measured[s][m]});
    }
  }
  return rows;
}

std::optional<SweepPoint> quickest(const std::vector<SweepPoint>& sweep, double final, bool is_lookahead) {
  std::optional<SweepPoint> best;
  for (const SweepPoint& p : sweep) {
    if (p.final != final || (p.method.alpha < 1) != is_lookahead) continue;
    if (!best || p.steps < best->steps) best = p;
  }
  return best;
}

Convergence run_convergence(const Effort& effort) {
  Convergence c;
  c.spectrum.curvatures = curvature_grid(100, 16);
  std::vector<double> finals;
  for (int i = 0; i <= 20; ++i) finals.push_back(std::pow(10, -3 + i / 8.0));
  c.sweep = sweep(c.spectrum, finals, c.k, {.1, .2, .3, .4, .5, .6, .7, .8, .9}, c.left);

  std::vector<DescentPlan> plans;
  for (const std::size_t i : {2U, 6U, 10U}) {
    for (const bool is_lookahead : {false, true}) {
      const auto point = quickest(c.sweep, finals[i], is_lookahead);
      if (!point) continue;
      const int settled = std::max(steps_to_final(c.spectrum, point->method, 1e-3), 2 * point->steps);
      const double theory = loss_after(c.spectrum, point->method, point->steps / point->method.k);
      plans.push_back({point->method, target_loss(c.spectrum, point->final, c.left), point->steps, 2 * settled});
      c.measured.push_back({*point, point->steps, theory, {}});
    }
  }
  const std::int64_t copies = std::max<std::int64_t>(16, effort.copies / 64);
  const auto descents = measure_descents(c.spectrum, plans, copies, Generator(effort.seed, kConvergence));
  for (std::size_t i = 0; i < descents.size(); ++i) c.measured[i].measured = descents[i];
  return c;
}

Rates run_rates(const Effort& effort) {
  Rates rates;
  for (int i = 0; i <= 12; ++i)
    for (const HeavyBall& h : seven_methods(.99)) rates.by_condition.push_back({h, std::pow(10, 1 + i / 4.0)});
  for (const double momentum : {0., .3, .5, .7, .8, .9, .95, .98, .99, .995})
    for (const HeavyBall& h : seven_methods(momentum)) rates.by_momentum.push_back({h, 100});
  std::vector<RateRow*> tuned;
  for (auto* rows : {&rates.by_condition, &rates.by_momentum})
    for (RateRow& row : *rows) tuned.push_back(&row);
  parallel_for(static_cast<std::int64_t>(tuned.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      check_interrupt();
      RateRow& row = *tuned[static_cast<std::size_t>(i)];
      const BestRate best = best_rate(row.method, row.condition);
      row.lr = best.lr;
      row.theory = best.rate;
    }
  });
  for (const HeavyBall& h : seven_methods(.99))
    if (h.k != 20) rates.at_lr_one.push_back({h, 1000, 1, 1 - worst_contraction(h, 1, 1000)});

  std::vector<RateRow*> measured;
  for (std::size_t decade : {2U, 1U, 0U})  // the slowest first
    for (std::size_t m = 0; m < 7; ++m) measured.push_back(&rates.by_condition[decade * 4 * 7 + m]);
  for (RateRow& row : rates.at_lr_one) measured.push_back(&row);
  for (RateRow& row : rates.by_momentum)
    if (row.method.momentum == .5) measured.push_back(&row);
  measure_rates(measured, effort);
  return rates;
}

}  // namespace tandem::quadratic
