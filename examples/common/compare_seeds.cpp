// Statistics over seeds; see compare_seeds.h.
#include "compare_seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>

namespace tandem::examples {
namespace {

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

/// By seed, where the metric was measured.
std::map<std::uint64_t, double> final_values(const std::vector<RunResult>& results, const Contender& contender,
                                             const std::string& metric) {
  std::map<std::uint64_t, double> values;
  for (const std::size_t i : contender.runs) {
    const double value = value_of(results[i].final_metrics, metric);
    if (!std::isnan(value)) values[results[i].run.seed] = value;
  }
  return values;
}

std::string verdict(const PairedDifference& d, const Contender& a, const Contender& b, const std::string& metric) {
  if (d.seeds == 1) return "with one seed it is not known how much seeds vary: nothing follows.";
  const std::string facts =
      fmt::format("standard error {:.4f}, 95 % interval {:.4f} to {:.4f}", d.standard_error, d.low, d.high);
  if (d.is_degenerate()) return "the same with every seed, so it is not known how much it varies: nothing follows.";
  if (!d.is_beyond_chance()) return facts + ": the interval holds 0, so nothing follows.";
  const bool is_first = (d.mean > 0) == is_larger_better(metric);
  return fmt::format("{}: without 0, so {} is better in this setting.", facts, (is_first ? a : b).name);
}

}  // namespace

double t_quantile(std::size_t degrees) {
  constexpr double kQuantiles[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                   2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                   2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
  return kQuantiles[std::clamp<std::size_t>(degrees, 1, std::size(kQuantiles)) - 1];
}

PairedDifference paired_difference(const std::vector<double>& differences) {
  PairedDifference d{differences.size(), kNotKnown, kNotKnown, kNotKnown, kNotKnown};
  if (d.seeds == 0) return d;
  const MeanAndDeviation over_seeds = mean_and_deviation(differences);
  d.mean = over_seeds.mean;
  if (d.seeds == 1) return d;
  d.standard_error = over_seeds.deviation / std::sqrt(static_cast<double>(d.seeds));
  const double reach = t_quantile(d.seeds - 1) * d.standard_error;
  d.low = d.mean - reach;
  d.high = d.mean + reach;
  return d;
}

std::string compare_sentence(const std::vector<RunResult>& results, const std::string& metric) {
  const std::vector<Contender> contenders = contenders_of(results);
  std::string text;
  std::size_t pairs = 0;
  for (std::size_t second = 1; second < contenders.size(); ++second)
    for (std::size_t first = 0; first < second; ++first) {
      const Contender &a = contenders[second], &b = contenders[first];
      const auto of_a = final_values(results, a, metric), of_b = final_values(results, b, metric);
      std::vector<double> differences;
      for (const auto& [seed, value] : of_a)
        if (const auto other = of_b.find(seed); other != of_b.end()) differences.push_back(value - other->second);
      if (differences.empty()) continue;
      const PairedDifference d = paired_difference(differences);
      text += fmt::format("{}, {} against {}, {} seed{}: {:+.4f}; {}\n", metric, a.name, b.name, d.seeds,
                          d.seeds == 1 ? "" : "s", d.mean, verdict(d, a, b, metric));
      pairs += d.seeds > 1 ? 1U : 0U;
    }
  if (pairs > 1) text += "Each interval stands alone: where nothing differs, one in twenty leaves out 0 by chance.\n";
  return text;
}

std::vector<std::int64_t> equal_steps(const ComparisonRecord& record) {
  std::map<std::int64_t, std::size_t> counts;
  for (const RunRecord& run : record.runs)
    for (const EpochRow& row : run.rows) ++counts[row.step];
  std::vector<std::int64_t> common, chosen;
  for (const auto& [step, count] : counts)
    if (count == record.runs.size()) common.push_back(step);
  if (common.size() < 2) return {};
  for (const std::int64_t quarter : {1, 2, 3, 4}) {
    const std::int64_t wanted = common.back() * quarter;  // in quarters of a step
    const std::int64_t nearest = *std::min_element(common.begin(), common.end(), [&](std::int64_t a, std::int64_t b) {
      return std::abs(4 * a - wanted) < std::abs(4 * b - wanted);
    });
    if (chosen.empty() || chosen.back() != nearest) chosen.push_back(nearest);
  }
  return chosen;
}

std::vector<double> values_at(const ComparisonRecord& record, const Contender& contender, std::int64_t step,
                              const std::string& metric) {
  std::vector<double> values;
  for (const std::size_t i : contender.runs)
    for (const EpochRow& row : record.runs[i].rows) {
      const double value = value_of(row.metrics, metric);
      if (row.step == step && !std::isnan(value)) values.push_back(value);
    }
  return values;
}

std::vector<std::string> metrics_of(const ComparisonRecord& record) {
  std::vector<std::string> names;
  for (const RunRecord& run : record.runs)
    for (const auto& [name, ignored] : run.result.final_metrics)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

std::vector<std::string> metrics_over_steps(const ComparisonRecord& record) {
  std::vector<std::string> names = metrics_of(record);
  const auto is_only_at_end = [&](const std::string& name) {
    for (const RunRecord& run : record.runs)
      for (const EpochRow& row : run.rows)
        if (!std::isnan(value_of(row.metrics, name))) return false;
    return true;
  };
  names.erase(std::remove_if(names.begin(), names.end(), is_only_at_end), names.end());
  return names;
}

namespace {

std::string cell(const std::vector<double>& values) {
  if (values.empty()) return "-";
  const MeanAndDeviation m = mean_and_deviation(values);
  return values.size() == 1 ? fmt::format("{:.4f}", m.mean) : fmt::format("{:.4f} +-{:.4f}", m.mean, m.deviation);
}

/// One line a row: the first column to the left, the others to the right in the width of the widest of them.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::size_t first = 0, other = 0;
  for (const auto& row : rows) {
    first = std::max(first, row[0].size());
    for (std::size_t i = 1; i < row.size(); ++i) other = std::max(other, row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    text += row.size() == 1 ? row[0] : fmt::format("{:<{}}", row[0], first);
    for (std::size_t i = 1; i < row.size(); ++i) text += fmt::format("  {:>{}}", row[i], other);
    text += "\n";
  }
  return text;
}

}  // namespace

std::string equal_steps_table(const ComparisonRecord& record) {
  const std::vector<std::int64_t> steps = equal_steps(record);
  if (steps.empty()) return {};
  std::vector<std::vector<std::string>> rows = {{"at equal steps"}};
  for (const std::int64_t step : steps) rows[0].push_back(fmt::format("step {}", step));
  for (const std::string& metric : metrics_over_steps(record)) {
    rows.push_back({metric});
    for (const Contender& contender : contenders_of(record.results())) {
      rows.push_back({"  " + contender.name});
      for (const std::int64_t step : steps) rows.back().push_back(cell(values_at(record, contender, step, metric)));
    }
  }
  return aligned(rows);
}

}  // namespace tandem::examples
