// Scores from trials. See findings.h.
#include "findings.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <tandem/core/error.h>

namespace tandem::study {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLeastCost = 1e-9;  // no error at all

const Outcome& outcome_of(const Outcomes& outcomes, const Trial& trial) {
  const auto found = outcomes.find(trial);
  if (found == outcomes.end()) {
    fail("study", "a trial is missing",
         fmt::format("{} on {}, factor {}, seed {}", trial.contestant, trial.task, trial.factor, trial.seed),
         "--resume goes on");
  }
  return found->second;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// How many trials are near the best of them.
int count_near(const Task& task, const std::vector<double>& trials) {
  const double best = *std::min_element(trials.begin(), trials.end());
  if (!std::isfinite(best)) return 0;
  const double most = task.is_relative ? best * (1 + task.near) : best + task.near + kLeastCost;
  return static_cast<int>(std::count_if(trials.begin(), trials.end(), [&](double cost) { return cost <= most; }));
}

const Standing& standing_of(const Findings& findings, const std::string& name) {
  const auto found = std::find_if(findings.standings.begin(), findings.standings.end(),
                                  [&](const Standing& s) { return s.contestant.name == name; });
  if (found == findings.standings.end()) fail("study", "no such rule takes part", name);
  return *found;
}

Standing gather(const Findings& f, const Contestant& contestant, const Outcomes& outcomes) {
  Standing standing{.contestant = contestant};
  for (const Task& task : f.tasks) {
    Cell cell;
    for (const double factor : f.factors) {
      const Outcome outcome = outcome_of(outcomes, {task.name, contestant.name, factor, kTuningSeed});
      cell.trials.push_back(outcome.costs.validation);
      standing.tuning_steps += outcome.steps;
      standing.tuning_evaluations += outcome.evaluations;
      standing.tuning_seconds += outcome.seconds;
      standing.diverged += outcome.is_diverged() ? 1 : 0;
    }
    cell.factor = chosen_factor(f.settings, outcomes, task.name, contestant.name);
    cell.near = count_near(task, cell.trials);
    for (const std::uint64_t seed : f.settings.seeds) {
      const Outcome plain = outcome_of(outcomes, {task.name, contestant.name, 1, seed});
      const Outcome tuned = outcome_of(outcomes, {task.name, contestant.name, cell.factor, seed});
      cell.by_default.push_back(plain.costs.test);
      cell.tuned.push_back(tuned.costs.test);
      standing.diverged += (plain.is_diverged() ? 1 : 0) + (cell.factor != 1 && tuned.is_diverged() ? 1 : 0);
    }
    standing.near += cell.near;
    standing.cells.push_back(std::move(cell));
  }
  return standing;
}

void add_scores(const Findings& f, Standing& standing) {
  const auto tasks = static_cast<double>(f.tasks.size());
  standing.default_scores.assign(f.settings.seeds.size(), 0);
  standing.tuned_scores.assign(f.settings.seeds.size(), 0);
  for (std::size_t t = 0; t < f.tasks.size(); ++t) {
    Cell& cell = standing.cells[t];
    for (std::size_t s = 0; s < f.settings.seeds.size(); ++s) {
      standing.default_scores[s] += score_of(cell.by_default[s], f.best[t]) / tasks;
      standing.tuned_scores[s] += score_of(cell.tuned[s], f.best[t]) / tasks;
    }
    for (const double cost : cell.trials)
      cell.area += score_of(cost, f.best_trial[t]) / static_cast<double>(cell.trials.size());
    standing.area += cell.area / tasks;
  }
}

}  // namespace

double score_of(double cost, double best) {
  if (!std::isfinite(cost) || !std::isfinite(best)) return 0;
  const double ratio = std::max(cost, kLeastCost) / std::max(best, kLeastCost);
  return 1 - std::clamp(std::log(ratio) / std::log(kMostRatio), 0.0, 1.0);
}

double mean_cost(const std::vector<double>& costs) { return mean(costs); }

Findings findings_of(const Settings& settings, const std::vector<Task>& tasks, const Outcomes& outcomes) {
  Findings f{.settings = settings, .factors = factors_of(settings)};
  for (const std::string& name : settings.tasks) {
    const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const Task& t) { return t.name == name; });
    if (found == tasks.end()) fail("study", "no such task", name);
    f.tasks.push_back(*found);
  }
  for (const Contestant& contestant : settings.contestants) f.standings.push_back(gather(f, contestant, outcomes));
  for (std::size_t t = 0; t < f.tasks.size(); ++t) {
    double best = kInfinity, best_trial = kInfinity;
    for (const Standing& standing : f.standings) {
      const Cell& cell = standing.cells[t];
      best = std::min({best, mean_cost(cell.by_default), mean_cost(cell.tuned)});
      best_trial = std::min(best_trial, *std::min_element(cell.trials.begin(), cell.trials.end()));
    }
    f.best.push_back(best);
    f.best_trial.push_back(best_trial);
  }
  for (Standing& standing : f.standings) add_scores(f, standing);
  std::stable_sort(f.standings.begin(), f.standings.end(),
                   [](const Standing& a, const Standing& b) { return mean(a.tuned_scores) > mean(b.tuned_scores); });
  return f;
}

std::vector<double> profile_of(const Findings& findings, const Standing& standing, bool is_tuned,
                               const std::vector<double>& ratios) {
  std::vector<double> shares;
  for (const double ratio : ratios) {
    double within = 0;
    for (std::size_t t = 0; t < findings.tasks.size(); ++t) {
      const double cost = mean_cost(is_tuned ? standing.cells[t].tuned : standing.cells[t].by_default);
      if (std::max(cost, kLeastCost) <= ratio * std::max(findings.best[t], kLeastCost) * (1 + 1e-12)) ++within;
    }
    shares.push_back(within / static_cast<double>(findings.tasks.size()));
  }
  return shares;
}

Interval interval_of(const std::vector<double>& values) {
  const report::MeanAndDeviation all = report::mean_and_deviation(values);
  if (all.count < 2) return {all.mean, std::numeric_limits<double>::quiet_NaN()};
  const double error = all.deviation / std::sqrt(static_cast<double>(all.count));
  return {all.mean, report::t_quantile(all.count - 1) * error};
}

report::PairedDifference difference(const Findings& findings, const std::string& a, const std::string& b,
                                    std::size_t task, bool is_tuned) {
  const Standing &first = standing_of(findings, a), &second = standing_of(findings, b);
  report::BySeed x, y;
  for (std::size_t s = 0; s < findings.settings.seeds.size(); ++s) {
    const auto cost = [&](const Standing& standing) {
      const Cell& cell = standing.cells[task];
      const double value = (is_tuned ? cell.tuned : cell.by_default)[s];
      return std::isfinite(value) ? std::log10(std::max(value, kLeastCost)) : std::numeric_limits<double>::quiet_NaN();
    };
    x[findings.settings.seeds[s]] = cost(first);
    y[findings.settings.seeds[s]] = cost(second);
  }
  return report::paired_difference(x, y);
}

}  // namespace tandem::study
