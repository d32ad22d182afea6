// What both pages draw with.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <tandem/report/page.h>

#include "page.h"

namespace tandem::landscape {

Json exact(double value) { return std::isfinite(value) ? Json(value) : report::to_json(value); }

Json exact(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(exact(value));
  return list;
}

std::vector<double> levels_of(const std::vector<double>& values, std::size_t count, bool is_curved) {
  std::vector<double> sorted;
  for (const double value : values)
    if (std::isfinite(value)) sorted.push_back(value);
  if (sorted.empty()) return {};
  std::sort(sorted.begin(), sorted.end());
  constexpr double kHigh = 0.97;
  const double low = sorted.front(),
               high = sorted[static_cast<std::size_t>(kHigh * static_cast<double>(sorted.size() - 1))];
  std::vector<double> levels;
  for (std::size_t i = 1; i <= count; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(count);
    // Widths of bands grow with the height over the lowest point, as its square does with distance in a bowl.
    const double level = low + (high - low) * (is_curved ? part * part * part : part);
    const double rounded = std::strtod(fmt::format("{:.4g}", level).c_str(), nullptr);
    if (rounded > low && (levels.empty() || rounded > levels.back())) levels.push_back(rounded);
  }
  return levels;
}

Json contours_of(const std::string& title, const std::string& caption, const std::string& measure,
                 const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& cells) {
  constexpr std::size_t kLevels = 15;
  const bool is_accuracy = measure.ends_with("accuracy");
  Json shown = Json::array();
  for (const double value : cells) shown.push_back(report::to_json(value));
  return {{"kind", "contours"},
          {"title", title},
          {"caption", caption},
          {"measure", measure},
          {"larger_is_better", is_accuracy},
          {"x", {{"label", ""}, {"values", exact(x)}}},
          {"y", {{"label", ""}, {"values", exact(y)}}},
          {"cells", std::move(shown)},
          {"levels", exact(levels_of(cells, kLevels, !is_accuracy))},
          {"series", Json::array()},
          {"marks", Json::array()}};
}

}  // namespace tandem::landscape
