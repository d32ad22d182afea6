// A sweep's grids as data of figures (page_data.h): a line with intervals over one axis, a heat map over two, and over
// more a heat map for every choice of the rest.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "page_data.h"
#include "sweep.h"
#include "tables.h"

namespace tandem::report {
namespace {

Json cell_of(const Comparison& comparison, const std::optional<std::size_t>& contender, const std::string& metric) {
  if (!contender) return nullptr;
  const Place place = place_of(comparison, contender, metric);
  return {{"name", comparison.contenders[*contender].name},
          {"value", to_json(place.values.mean)},
          {"deviation", place.values.count > 1 ? to_json(place.values.deviation) : Json()},
          {"diverged", place.diverged},
          {"runs", place.runs}};
}

Json axis_json(const SweepAxis& axis) { return {{"name", axis.name}, {"values", axis.values}}; }

Json heat_map(const Comparison& comparison, const Grid& grid, std::size_t first, const std::string& metric) {
  const SweepAxis &rows = grid.axes[grid.axes.size() - 2], &columns = grid.axes.back();
  Json cells = Json::array();
  for (std::size_t i = 0; i < rows.values.size() * columns.values.size(); ++i)
    cells.push_back(cell_of(comparison, grid.places[first + i], metric));
  return {{"kind", "heatmap"},        {"title", fmt::format("{}: {}", grid.name, metric)},
          {"x", axis_json(columns)},  {"y", axis_json(rows)},
          {"measure", metric},        {"larger_is_better", is_larger_better(metric)},
          {"cells", std::move(cells)}};
}

/// True for positive numbers of which each is about the same multiple of the one before.
bool is_log_spaced(const std::vector<double>& values) {
  if (values.size() < 3 || values.front() <= 0) return false;
  return values.back() / values.front() > 8;
}

std::vector<double> numbers_of(const std::vector<std::string>& values) {
  std::vector<double> numbers;
  for (const std::string& text : values) {
    double number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size() || !std::isfinite(number)) return {};
    numbers.push_back(number);
  }
  return numbers;
}

/// A line for each grid over this one axis.
Json line_figure(const Comparison& comparison, const std::vector<Grid>& grids, const std::string& axis,
                 const std::string& metric) {
  Json series = Json::array();
  bool is_log = true;
  for (const Grid& grid : grids) {
    std::vector<double> x = numbers_of(grid.axes[0].values);
    is_log = is_log && is_log_spaced(x);
    if (x.empty())
      for (std::size_t i = 0; i < grid.places.size(); ++i) x.push_back(static_cast<double>(i + 1));
    Json one = {{"name", grid.name},      {"style", "line points bars"}, {"x", x},
                {"y", Json::array()},     {"low", Json::array()},        {"high", Json::array()},
                {"notes", Json::array()}, {"diverged", Json::array()}};
    for (std::size_t i = 0; i < grid.places.size(); ++i) {
      const Place place = place_of(comparison, grid.places[i], metric);
      const double n = static_cast<double>(place.values.count), mean = place.values.mean;
      const double reach =
          n > 1 ? t_quantile(place.values.count - 1) * place.values.deviation / std::sqrt(n) : std::nan("");
      one["y"].push_back(to_json(mean));
      one["low"].push_back(to_json(mean - reach));
      one["high"].push_back(to_json(mean + reach));
      one["notes"].push_back(place.diverged == 0 ? "" : fmt::format("{} of {} diverged", place.diverged, place.runs));
      if (place.diverged > 0) one["diverged"].push_back(x[i]);
    }
    series.push_back(std::move(one));
  }
  return {{"kind", "lines"},
          {"title", grids.size() == 1 ? grids[0].name + ": " + metric : metric},
          {"x", {{"label", axis}, {"log", is_log}}},
          {"y", {{"label", metric}}},
          {"series", std::move(series)}};
}

/// The least and the largest value of a grid, which the colours of its heat maps span together; null without any.
Json extent_of(const Comparison& comparison, const Grid& grid, const std::string& metric) {
  double low = INFINITY, high = -INFINITY;
  for (const auto& contender : grid.places) {
    const double mean = place_of(comparison, contender, metric).values.mean;
    if (std::isfinite(mean)) low = std::min(low, mean), high = std::max(high, mean);
  }
  return low <= high ? Json{to_json(low), to_json(high)} : Json();
}

}  // namespace

Json sweep_figure(const Comparison& comparison) {
  const std::vector<Grid> grids = grids_of(comparison);
  if (grids.empty()) return nullptr;
  std::vector<std::string> metrics = comparison.metrics();
  std::stable_partition(metrics.begin(), metrics.end(),
                        [&](const std::string& metric) { return metric == comparison.metric(); });
  std::vector<std::string> line_axes;
  for (const Grid& grid : grids)
    if (grid.axes.size() == 1 && std::find(line_axes.begin(), line_axes.end(), grid.axes[0].name) == line_axes.end())
      line_axes.push_back(grid.axes[0].name);
  Json variants = Json::array();
  for (const std::string& metric : metrics) {
    Json figures = Json::array();
    for (const std::string& axis : line_axes) {
      std::vector<Grid> same;
      for (const Grid& grid : grids)
        if (grid.axes.size() == 1 && grid.axes[0].name == axis) same.push_back(grid);
      figures.push_back(line_figure(comparison, same, axis, metric));
    }
    for (const Grid& grid : grids) {
      if (grid.axes.size() < 2) continue;
      const std::size_t size = grid.axes.back().values.size() * grid.axes[grid.axes.size() - 2].values.size();
      for (std::size_t first = 0; first < grid.places.size(); first += size) {
        figures.push_back(heat_map(comparison, grid, first, metric));
        if (grid.axes.size() < 3) continue;
        figures.back()["title"] = fmt::format("{}: {}, {}", grid.name, metric, further_axes(grid, first / size));
        figures.back()["extent"] = extent_of(comparison, grid, metric);
      }
    }
    variants.push_back({{"kind", "group"}, {"figures", std::move(figures)}});
  }
  return {{"kind", "group"},
          {"title", "Sweep"},
          {"caption",
           "Final values by the arguments that were swept: means over the seeds that did not diverge. Lines "
           "have the 95 % interval of Student's t where there are several seeds; hatched cells diverged."},
          {"choose", {{{"label", "metric"}, {"options", metrics}}}},
          {"variants", std::move(variants)}};
}

}  // namespace tandem::report
