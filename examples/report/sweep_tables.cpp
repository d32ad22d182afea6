// A sweep's grids as text (tables.h): what a heat map is to the page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sweep.h"
#include "tables.h"

namespace tandem::report {
namespace {

/// Towards the better in four shades.
std::string shade(double value, double worst, double best) {
  constexpr const char* kShades[] = {"░", "▒", "▓", "█"};
  const double part = best == worst ? 1 : (value - worst) / (best - worst);
  return kShades[std::clamp(static_cast<int>(part * 4), 0, 3)];
}

Cell cell_of(const Place& place, double worst, double best) {
  if (place.runs == 0) return {""};
  if (std::isnan(place.values.mean)) return {place.diverged == place.runs ? "diverged" : "-"};
  std::string text =
      (place.values.mean == best ? "*" : "") + shown(place.values.mean) + " " + shade(place.values.mean, worst, best);
  if (place.diverged > 0) text += fmt::format(" {}/{} diverged", place.diverged, place.runs);
  return {text, place.values.mean};
}

}  // namespace

std::vector<Table> sweep_tables(const Comparison& comparison) {
  std::vector<Table> tables;
  for (const Grid& grid : grids_of(comparison)) {
    std::vector<Place> places;
    double worst = std::nan(""), best = std::nan("");
    for (const auto& contender : grid.places) {
      places.push_back(place_of(comparison, contender, comparison.metric()));
      const double mean = places.back().values.mean;
      if (std::isnan(mean)) continue;
      if (is_better(comparison.metric(), mean, best)) best = mean;
      if (std::isnan(worst) || is_better(comparison.metric(), worst, mean)) worst = mean;
    }
    const SweepAxis& columns = grid.axes.back();
    const bool has_rows = grid.axes.size() > 1;
    const SweepAxis rows = has_rows ? grid.axes[grid.axes.size() - 2] : SweepAxis{"", {comparison.metric()}};
    const std::size_t size = rows.values.size() * columns.values.size();
    for (std::size_t first = 0; first < places.size(); first += size) {
      const std::string further = further_axes(grid, first / size);
      Table table{fmt::format("{} by {}{}: {}{}", comparison.metric(), has_rows ? rows.name + " and " : "",
                              columns.name, grid.name, further.empty() ? "" : ", " + further),
                  {{has_rows ? rows.name : "", true}},
                  {},
                  "* the best; darker is better."};
      for (const std::string& value : columns.values) table.columns.push_back({columns.name + "=" + value});
      for (std::size_t r = 0; r < rows.values.size(); ++r) {
        table.rows.push_back({{has_rows ? rows.name + "=" + rows.values[r] : rows.values[r]}});
        for (std::size_t c = 0; c < columns.values.size(); ++c)
          table.rows.back().push_back(cell_of(places[first + r * columns.values.size() + c], worst, best));
      }
      tables.push_back(std::move(table));
    }
  }
  return tables;
}

}  // namespace tandem::report
