// Curves of metrics and of the step record as data; see curve_data.h and page_data.h.
#include "curve_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "page_data.h"

namespace tandem::report {
namespace {

constexpr const char* kBands =
    "Lines are means over the seeds that came to their end, bands reach from the smallest to the largest of them; a "
    "cross ends a run that diverged, a circle one that was interrupted.";

Json values_json(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(to_json(value));
  return list;
}

/// Seconds a step over these runs; 0 when not known.
double seconds_per_step(const std::vector<const RunRecord*>& runs) {
  double seconds = 0, steps = 0;
  for (const RunRecord* run : runs) {
    if (!(run->seconds > 0) || !std::isfinite(run->seconds) || run->step <= 0) return 0;
    seconds += run->seconds;
    steps += static_cast<double>(run->step);
  }
  return steps > 0 ? seconds / steps : 0;
}

/// How a run that did not come to its end looks: where, and why.
Json end_of(const RunRecord& run) {
  return run.is_diverged() ? Json{{"mark", "cross"}, {"text", fmt::format("diverged at step {}", run.step)}}
                           : Json{{"mark", "circle"}, {"text", fmt::format("interrupted at step {}", run.step)}};
}

Json panel(const std::string& label, Json series) {
  Json figure = {{"kind", "lines"}, {"title", label}, {"x", {{"label", "step"}}}, {"y", {{"label", label}}}};
  figure["y"]["log"] = wants_log(series);
  figure["series"] = std::move(series);
  return figure;
}

std::size_t most_points(const Comparison& comparison, CsvTable RunRecord::*table) {
  std::size_t most = 0;
  for (const RunRecord& run : comparison.runs) most = std::max(most, (run.*table).rows());
  return most;
}

}  // namespace

Json series_of(const std::string& name, std::size_t group, const Curve& curve) {
  const Curve kept = thinned(curve);
  Json series = {{"name", name}, {"group", group}, {"x", kept.x}, {"y", values_json(kept.y)}};
  if (!kept.low.empty()) series["low"] = values_json(kept.low), series["high"] = values_json(kept.high);
  return series;
}

Points points_of(const CsvTable& table, const std::string& column) {
  Points points;
  const std::vector<double>*steps = table.column("step"), *values = table.column(column);
  for (std::size_t i = 0; values != nullptr && i < values->size(); ++i) {
    if (std::isnan((*values)[i])) continue;
    points.x.push_back((*steps)[i]);
    points.y.push_back((*values)[i]);
  }
  return points;
}

bool wants_log(const Json& series) {
  double low = INFINITY, high = 0;
  for (const Json& one : series)
    for (const Json& y : one.at("y")) {
      if (!y.is_number()) continue;
      low = std::min(low, y.get<double>());
      high = std::max(high, y.get<double>());
    }
  return low > 0 && high > 100 * low;
}

Json series_of(const Comparison& comparison, CsvTable RunRecord::*table, const std::string& column) {
  Json all = Json::array();
  for (std::size_t c = 0; c < comparison.contenders.size(); ++c) {
    const Contender& contender = comparison.contenders[c];
    std::vector<Points> over;
    std::vector<const RunRecord*> over_runs;
    std::size_t shortest = SIZE_MAX, longest = 0;
    for (const std::size_t i : contender.runs) {
      const RunRecord& run = comparison.runs[i];
      if (!run.is_complete()) continue;
      over.push_back(points_of(run.*table, column));
      over_runs.push_back(&run);
      shortest = std::min(shortest, over.back().x.size());
      longest = std::max(longest, over.back().x.size());
    }
    const Curve mean = mean_curve(over);
    if (!mean.x.empty()) {
      all.push_back(series_of(contender.name, c, mean));
      all.back()["seconds_per_step"] = to_json(seconds_per_step(over_runs));
    }
    for (const std::size_t i : contender.runs) {
      const RunRecord& run = comparison.runs[i];
      const Points points = points_of(run.*table, column);
      // A mean reaches as far as its shortest run; longer ones, where patience ended another, go on alone.
      if (points.x.empty() || (run.is_complete() && shortest == longest)) continue;
      all.push_back(series_of(fmt::format("{}, seed {}", contender.name, run.seed), c, {points.x, points.y, {}, {}}));
      all.back()["style"] = "thin";
      all.back()["seconds_per_step"] = to_json(seconds_per_step({&run}));
      if (!run.is_complete()) all.back()["end"] = end_of(run);
    }
  }
  return all;
}

Json curve_group(const Comparison& comparison, CsvTable RunRecord::*table, const std::vector<std::string>& columns,
                 const std::string& title) {
  Json figures = Json::array();
  for (const std::string& column : columns) {
    Json series = series_of(comparison, table, column);
    if (series.empty()) continue;
    figures.push_back(panel(column, std::move(series)));
    figures.back()["smooth"] = column == "loss" || column == "train_loss";
  }
  if (figures.empty()) return nullptr;
  std::string caption = kBands;
  if (const std::size_t most = most_points(comparison, table); most > kMostPoints)
    caption += fmt::format(
        " Of up to {} points a curve at most {} are shown: the smallest and the largest of each stretch of steps.",
        with_commas(static_cast<long long>(most)), with_commas(static_cast<long long>(kMostPoints)));
  return {{"kind", "group"},
          {"title", title},
          {"caption", caption},
          {"steps_per_epoch", comparison.first().steps_per_epoch},
          {"figures", std::move(figures)}};
}

Json metric_curves(const Comparison& comparison) {
  const bool has_curves = most_points(comparison, &RunRecord::metrics) > 1;
  return has_curves ? curve_group(comparison, &RunRecord::metrics, comparison.metrics(), "Curves") : Json();
}

Json step_curves(const Comparison& comparison) {
  std::vector<std::string> columns;
  for (const RunRecord& run : comparison.runs)
    for (const std::string& column : run.steps.columns)
      if (column != "step" && column != "synced" && std::find(columns.begin(), columns.end(), column) == columns.end())
        columns.push_back(column);
  return curve_group(comparison, &RunRecord::steps, columns, "Step record");
}

}  // namespace tandem::report
