// Grids of a sweep; see sweep.h.
#include "sweep.h"

#include <algorithm>
#include <charconv>

#include "tables.h"

namespace tandem::report {
namespace {

std::optional<double> to_number(const std::string& text) {
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return {};
  return value;
}

/// Numbers ascending, else in the order in which they came.
void sort_values(std::vector<std::string>& values) {
  if (std::any_of(values.begin(), values.end(), [](const auto& text) { return !to_number(text); })) return;
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return *to_number(a) < *to_number(b); });
}

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

/// Names of the arguments that were swept in any folder.
std::vector<std::string> swept_names(const Comparison& comparison) {
  std::vector<std::string> names;
  for (const RunFolder& folder : comparison.folders)
    for (const SweepAxis& axis : folder.sweep) add_once(names, axis.name);
  return names;
}

struct Family {
  Texts fixed;                          // the arguments that are not swept
  std::vector<std::size_t> contenders;  // by number
};

std::vector<Family> families_of(const Comparison& comparison, const std::vector<std::string>& swept) {
  std::vector<Family> families;
  for (std::size_t c = 0; c < comparison.contenders.size(); ++c) {
    Texts fixed;
    for (const auto& [name, text] : comparison.contenders[c].arguments)
      if (std::find(swept.begin(), swept.end(), name) == swept.end()) fixed.emplace_back(name, text);
    auto same =
        std::find_if(families.begin(), families.end(), [&](const Family& family) { return family.fixed == fixed; });
    if (same == families.end()) same = families.insert(families.end(), {fixed, {}});
    same->contenders.push_back(c);
  }
  return families;
}

/// "lookahead(momentum) momentum=0.9": the rule, and what not all families have.
std::string name_of(const Family& family, const std::vector<Family>& all) {
  std::string name = text_of(family.fixed, "rule");
  for (const auto& [argument, text] : family.fixed) {
    const bool all_have =
        std::all_of(all.begin(), all.end(), [&, argument = argument, text = text](const Family& other) {
          return text_of(other.fixed, "rule") != text_of(family.fixed, "rule") ||
                 text_of(other.fixed, argument) == text;
        });
    if (argument != "rule" && !all_have) name += (name.empty() ? "" : " ") + argument + "=" + text;
  }
  return name;
}

Grid grid_of(const Family& family, const Comparison& comparison, const std::vector<std::string>& swept) {
  Grid grid;
  for (const std::string& name : swept) {
    SweepAxis axis{name, {}};
    for (const std::size_t c : family.contenders)
      if (const std::string text = text_of(comparison.contenders[c].arguments, name); !text.empty())
        add_once(axis.values, text);
    sort_values(axis.values);
    if (axis.values.size() > 1) grid.axes.push_back(axis);
  }
  if (grid.axes.empty()) return grid;
  std::size_t count = 1;
  for (const SweepAxis& axis : grid.axes) count *= axis.values.size();
  grid.places.resize(count);
  for (const std::size_t c : family.contenders) {
    std::size_t place = 0;
    bool has_all = true;
    for (const SweepAxis& axis : grid.axes) {
      const auto value =
          std::find(axis.values.begin(), axis.values.end(), text_of(comparison.contenders[c].arguments, axis.name));
      has_all = has_all && value != axis.values.end();
      place = place * axis.values.size() + static_cast<std::size_t>(has_all ? value - axis.values.begin() : 0);
    }
    if (has_all && !grid.places[place]) grid.places[place] = c;
  }
  return grid;
}

}  // namespace

std::vector<Grid> grids_of(const Comparison& comparison) {
  const std::vector<std::string> swept = swept_names(comparison);
  const std::vector<Family> families = families_of(comparison, swept);
  std::vector<Grid> grids;
  for (const Family& family : families) {
    Grid grid = grid_of(family, comparison, swept);
    // A grid of which hardly anything was run is no grid.
    if (grid.axes.empty() || grid.places.size() > 4 * family.contenders.size()) continue;
    grid.name = name_of(family, families);
    grids.push_back(std::move(grid));
  }
  return grids;
}

Place place_of(const Comparison& comparison, const std::optional<std::size_t>& contender, const std::string& metric) {
  if (!contender) return {mean_and_deviation({}), 0, 0};
  const Contender& c = comparison.contenders[*contender];
  Place place{mean_and_deviation(values_of(comparison.final_values(c, metric))), 0, c.runs.size()};
  for (const std::size_t i : c.runs) place.diverged += comparison.runs[i].is_diverged() ? 1 : 0;
  return place;
}

std::string further_axes(const Grid& grid, std::size_t number) {
  std::string text;
  for (std::size_t a = grid.axes.size() - std::min<std::size_t>(grid.axes.size(), 2); a-- > 0;) {
    const SweepAxis& axis = grid.axes[a];
    text = axis.name + "=" + axis.values[number % axis.values.size()] + (text.empty() ? "" : ", ") + text;
    number /= axis.values.size();
  }
  return text;
}

}  // namespace tandem::report
