// How much the swept arguments matter (tables.h): what a rule gives on average over its grid, and how much of the grid
// is near the best.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sweep.h"
#include "tables.h"

namespace tandem::report {
namespace {

constexpr double kNear = 0.01;  // one point

/// The final accuracies of a grid's places in one seed, a diverged run 0; empty where a place has not ended.
std::vector<double> values_in(const Comparison& comparison, const Grid& grid, std::uint64_t seed) {
  std::vector<double> values;
  for (const auto& place : grid.places) {
    if (!place) return {};
    const BySeed by_seed = comparison.final_values(comparison.contenders[*place], comparison.metric());
    const auto found = by_seed.find(seed);
    if (found == by_seed.end()) return {};
    values.push_back(std::isfinite(found->second) ? found->second : 0);
  }
  return values;
}

std::string with_interval(const std::vector<double>& values, const char* format) {
  const MeanAndDeviation all = mean_and_deviation(values);
  std::string text = fmt::format(fmt::runtime(format), all.mean);
  if (all.count < 2) return text;
  const double reach = t_quantile(all.count - 1) * all.deviation / std::sqrt(static_cast<double>(all.count));
  return text + " ± " + fmt::format(fmt::runtime(format), reach);
}

}  // namespace

Table sensitivity_table(const Comparison& comparison) {
  Table table{
      fmt::format("How much the swept arguments matter, by {}", comparison.metric()),
      {{"rule", true}, {"over", true}, {"mean of the grid"}, {"within one point of the best"}, {"seeds"}},
      {},
      "Mean of the grid: the area under the sensitivity curve, as a share; a diverged run counts 0. The best is "
      "that of any run with the same seed. Mean over seeds with the 95 % interval of Student's t."};
  if (!comparison.metric().ends_with("accuracy")) return table;
  const std::vector<Grid> grids = grids_of(comparison);
  std::map<std::uint64_t, double> best;
  for (const Contender& contender : comparison.contenders) {
    for (const auto& [seed, value] : comparison.final_values(contender, comparison.metric()))
      if (std::isfinite(value)) best[seed] = std::max(best[seed], value);
  }
  for (const Grid& grid : grids) {
    std::vector<double> areas, near;
    for (const std::uint64_t seed : comparison.seeds()) {
      const std::vector<double> values = values_in(comparison, grid, seed);
      if (values.empty()) continue;
      double sum = 0, count = 0;
      for (const double value : values) {
        sum += value;
        count += value >= best[seed] - kNear - 1e-9 ? 1 : 0;
      }
      areas.push_back(sum / static_cast<double>(values.size()));
      near.push_back(count);
    }
    if (areas.empty()) continue;
    std::string over;
    for (const SweepAxis& axis : grid.axes)
      over += fmt::format("{}{} ({})", over.empty() ? "" : " x ", axis.name, axis.values.size());
    table.rows.push_back(
        {{grid.name},
         {over},
         {with_interval(areas, "{:.4f}"), mean_and_deviation(areas).mean},
         {with_interval(near, "{:.1f}") + fmt::format(" of {}", grid.places.size()), mean_and_deviation(near).mean},
         {fmt::format("{}", areas.size()), static_cast<double>(areas.size())}});
  }
  return table;
}

}  // namespace tandem::report
