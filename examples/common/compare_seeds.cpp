// Statistics over seeds; see compare_seeds.h.
#include "compare_seeds.h"

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

std::string finding_of(const PairedDifference& d, const std::string& metric) {
  if (d.seeds == 1) return "nothing: one seed";
  if (d.is_degenerate()) return "nothing: all equal";
  if (!d.is_beyond_chance()) return "nothing: holds 0";
  return (d.mean > 0) == is_larger_better(metric) ? "better" : "worse";
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

std::vector<Difference> differences(const std::vector<RunResult>& results, const std::string& metric) {
  std::vector<std::map<std::uint64_t, double>> values;
  for (const Contender& contender : contenders_of(results)) values.push_back(final_values(results, contender, metric));
  std::vector<Difference> all;
  for (std::size_t baseline = 0; baseline < values.size(); ++baseline)
    for (std::size_t contender = baseline + 1; contender < values.size(); ++contender) {
      std::vector<double> by_seed;
      for (const auto& [seed, value] : values[contender])
        if (const auto other = values[baseline].find(seed); other != values[baseline].end())
          by_seed.push_back(value - other->second);
      if (by_seed.empty()) continue;
      const PairedDifference paired = paired_difference(by_seed);
      all.push_back({contender, baseline, paired, finding_of(paired, metric)});
    }
  return all;
}

std::string differences_note(const std::vector<Difference>& differences) {
  const auto intervals =
      std::count_if(differences.begin(), differences.end(), [](const Difference& d) { return d.paired.seeds > 1; });
  if (intervals == 0) return "With one seed it is not known how much seeds vary: nothing follows.";
  const std::string note = "Better and worse are said of this setting alone, nothing where the interval holds 0.";
  return intervals == 1
             ? note
             : note + " Each interval stands alone: where nothing differs, one in twenty leaves out 0 by chance.";
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

}  // namespace tandem::examples
