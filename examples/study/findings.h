// What a study found: costs of every rule on every task at its default and at its chosen learning rate, a score, the
// performance profile, and how much the learning rate matters. Not here: training (trial.h), the page (page.h).
//
//   ratio(rule, task) = mean cost over seeds / least such mean of any rule, default or tuned
//   profile(tau)      = share of tasks whose ratio is at most tau          (Dolan & More 2002)
//   score             = area under the profile over log tau, tau from 1 to 10, as a share
//                     = mean over tasks of 1 - log(min(ratio, 10)) / log 10
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/report/statistics.h>

#include "trial.h"

namespace tandem::study {

inline constexpr double kMostRatio = 10;

/// 1 where the cost is the best of all, 0 from ten times it on and where it is not finite.
double score_of(double cost, double best);

/// A rule on a task.
struct Cell {
  std::vector<double> by_default, tuned = {};  ///< test costs, a seed each; infinite where it diverged
  double factor = 1;                           ///< of the chosen learning rate
  std::vector<double> trials = {};             ///< validation costs, a factor each
  int near = 0;                                ///< trials within Task::near of this rule's best
  double area = 0;                             ///< mean score of its trials: what a learning rate from nowhere gives
};

/// Mean of the costs; infinite where a seed diverged.
double mean_cost(const std::vector<double>& costs);

struct Standing {
  Contestant contestant = {};
  std::vector<Cell> cells = {};                                ///< a task each
  std::vector<double> default_scores = {}, tuned_scores = {};  ///< of each seed
  double area = 0;                                             ///< mean over tasks
  int near = 0;                                                ///< of all tasks
  std::int64_t tuning_steps = 0, tuning_evaluations = 0;
  double tuning_seconds = 0;
  int diverged = 0;  ///< of all its trainings
};

struct Findings {
  Settings settings = {};
  std::vector<Task> tasks = {};
  std::vector<double> factors = {};
  std::vector<double> best = {};         ///< least mean test cost of a task
  std::vector<double> best_trial = {};   ///< least validation cost
  std::vector<Standing> standings = {};  ///< the best mean tuned score first
};

/// Throws Error when a trial is missing.
Findings findings_of(const Settings& settings, const std::vector<Task>& tasks, const Outcomes& outcomes);

/// Share of tasks within each ratio of the best.
std::vector<double> profile_of(const Findings& findings, const Standing& standing, bool is_tuned,
                               const std::vector<double>& ratios);

/// Mean over seeds with the 95 % interval of Student's t: mean +- t(n - 1) deviation / sqrt(n).
struct Interval {
  double mean = 0, reach = 0;  ///< reach: NaN for a single value
};
Interval interval_of(const std::vector<double>& values);

/// Two rules on one task: log10(cost of a) - log10(cost of b), paired by seed; below 0 a is better.
report::PairedDifference difference(const Findings& findings, const std::string& a, const std::string& b,
                                    std::size_t task, bool is_tuned);

}  // namespace tandem::study
