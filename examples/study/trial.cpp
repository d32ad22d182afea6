// Trainings and their records. See trial.h.
#include "trial.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>
#include <tandem/optim/optimizer.h>
#include <tandem/report/page.h>

namespace tandem::study {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kFactorStream = 0x666163746f72;

/// JSON has no infinity.
Json to_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
double number(const Json& json) { return json.is_null() ? kInfinity : json.get<double>(); }

}  // namespace

bool Outcome::is_diverged() const { return !std::isfinite(costs.validation) || !std::isfinite(costs.test); }

std::vector<double> factors_of(const Settings& settings) {
  std::vector<double> factors = {1};
  Generator random(settings.seed, kFactorStream);
  constexpr double kDecades = 2;
  while (static_cast<int>(factors.size()) < settings.trials) {
    // Three digits, so that a factor reads the same in every file.
    const double factor = std::pow(10.0, kDecades * (2 * random.uniform() - 1));
    factors.push_back(std::stod(fmt::format("{:.3g}", factor)));
  }
  return factors;
}

std::int64_t steps_of(const Task& task, double scale) {
  constexpr std::int64_t kLeast = 10;
  return std::max<std::int64_t>(kLeast, std::llround(scale * static_cast<double>(task.steps)));
}

Outcome run_trial(const Task& task, const Contestant& contestant, double factor, std::uint64_t seed,
                  std::int64_t steps) {
  const auto begin = std::chrono::steady_clock::now();
  Outcome outcome{.costs = {kInfinity, kInfinity}};
  const auto finished = [&] {
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return outcome;
  };
  const std::unique_ptr<Training> training = task.make(seed);
  try {
    Optimizer optimizer(training->parameters(), rule_of(contestant, factor, steps));
    for (std::int64_t step = 0; step < steps; ++step) {
      const Tensor loss = optimizer.step([&] {  // each copy of a lookaround has batches of its own
        const Tensor at_hand = training->loss(step * optimizer.copies() + optimizer.copy());
        at_hand.backward();
        ++outcome.evaluations;
        return at_hand;
      });
      ++outcome.steps;
      if (!std::isfinite(loss.item())) return finished();
    }
    const auto slow = optimizer.evaluation_weights();
    const NoGradGuard no_grad;
    const Costs costs = training->measure();
    if (std::isfinite(costs.validation) && std::isfinite(costs.test)) outcome.costs = costs;
  } catch (const UsageError&) {
    // The multiplied rate is none that the rule takes.
  }
  return finished();
}

std::vector<Trial> tuning_trials(const Settings& settings) {
  std::vector<Trial> all;
  for (const double factor : factors_of(settings))
    for (const Contestant& contestant : settings.contestants)
      for (const std::string& task : settings.tasks) all.push_back({task, contestant.name, factor, kTuningSeed});
  return all;
}

std::vector<Trial> reported_trials(const Settings& settings, const Outcomes& outcomes) {
  std::vector<Trial> all;
  for (const std::uint64_t seed : settings.seeds) {
    for (const Contestant& contestant : settings.contestants) {
      for (const std::string& task : settings.tasks) {
        all.push_back({task, contestant.name, 1, seed});
        const double chosen = chosen_factor(settings, outcomes, task, contestant.name);
        if (chosen != 1) all.push_back({task, contestant.name, chosen, seed});
      }
    }
  }
  return all;
}

double chosen_factor(const Settings& settings, const Outcomes& outcomes, const std::string& task,
                     const std::string& contestant) {
  double best = kInfinity, chosen = 1;
  for (const double factor : factors_of(settings)) {
    const auto found = outcomes.find({task, contestant, factor, kTuningSeed});
    if (found == outcomes.end() || !(found->second.costs.validation < best)) continue;
    best = found->second.costs.validation;
    chosen = factor;
  }
  return chosen;
}

std::string line_of(const Trial& trial, const Outcome& outcome) {
  const Json json = {{"task", trial.task},
                     {"rule", trial.contestant},
                     {"factor", trial.factor},
                     {"seed", trial.seed},
                     {"validation", to_json(outcome.costs.validation)},
                     {"test", to_json(outcome.costs.test)},
                     {"steps", outcome.steps},
                     {"evaluations", outcome.evaluations},
                     {"seconds", std::round(outcome.seconds * 1e4) / 1e4}};
  return json.dump() + "\n";
}

void read_lines(const std::filesystem::path& file, Outcomes& outcomes) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
  const std::string all = read_file(file, kMostBytes);
  std::size_t number_of_line = 1;
  for (std::size_t begin = 0; begin < all.size(); ++number_of_line) {
    const std::size_t end = all.find('\n', begin);
    if (end == std::string::npos) return;  // the process was killed while it wrote
    try {
      const Json json = Json::parse(all.substr(begin, end - begin));
      const Trial trial{json.at("task"), json.at("rule"), json.at("factor"), json.at("seed")};
      outcomes[trial] = {.costs = {number(json.at("validation")), number(json.at("test"))},
                         .steps = json.at("steps"),
                         .evaluations = json.at("evaluations"),
                         .seconds = json.at("seconds")};
    } catch (const nlohmann::json::exception& error) {
      fail(file.string(), fmt::format("line {} is no trial", number_of_line), error.what());
    }
    begin = end + 1;
  }
}

}  // namespace tandem::study
