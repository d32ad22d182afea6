// One training of a contestant on a task, and the trials of a study: which there are, and how they are kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "contestants.h"
#include "task.h"

namespace tandem::study {

/// How a study is made. Equal settings give equal trials, whatever the number of jobs.
struct Settings {
  std::vector<Contestant> contestants = {};
  std::vector<std::string> tasks = {};
  int trials = 12;                               ///< learning rates that are tried, the default first
  std::vector<std::uint64_t> seeds = {0, 1, 2};  ///< of the trainings that are reported
  std::uint64_t seed = 0;                        ///< of the rates that are tried
  double scale = 1;                              ///< of every task's steps

  bool operator==(const Settings&) const = default;
};

/// The seed of the trainings that choose the learning rate; no reported training has it.
inline constexpr std::uint64_t kTuningSeed = 1000;

/// What the learning rate is multiplied by in each trial: 1, then 10^u, u uniform in [-2, 2], the same for every rule.
std::vector<double> factors_of(const Settings& settings);

/// Steps of a task at this scale, at least 10.
std::int64_t steps_of(const Task& task, double scale);

struct Trial {
  std::string task = {}, contestant = {};
  double factor = 1;
  std::uint64_t seed = 0;

  auto key() const { return std::tie(task, contestant, factor, seed); }
  bool operator<(const Trial& other) const { return key() < other.key(); }
};

struct Outcome {
  Costs costs = {};              ///< infinite where it diverged
  std::int64_t steps = 0;        ///< that were made
  std::int64_t evaluations = 0;  ///< of the loss with its gradients: more than steps for rules that look twice
  double seconds = 0;

  bool is_diverged() const;
};

/// Trains; a loss, cost or weight that is not finite, and a learning rate that the rule does not take, end it with
/// infinite costs.
Outcome run_trial(const Task& task, const Contestant& contestant, double factor, std::uint64_t seed,
                  std::int64_t steps);

using Outcomes = std::map<Trial, Outcome>;

/// The trials that choose learning rates, then (once those are over) the ones that are reported, at the default and at
/// the chosen rate. Tasks vary fastest.
std::vector<Trial> tuning_trials(const Settings& settings);
std::vector<Trial> reported_trials(const Settings& settings, const Outcomes& outcomes);

/// The factor with the least validation cost, the first of equals; 1 where all trials diverged.
double chosen_factor(const Settings& settings, const Outcomes& outcomes, const std::string& task,
                     const std::string& contestant);

/// Trials as lines of JSON, and back; a last line that was cut short is left out. Throws Error for anything else that
/// is no trial.
std::string line_of(const Trial& trial, const Outcome& outcome);
void read_lines(const std::filesystem::path& file, Outcomes& outcomes);

}  // namespace tandem::study
