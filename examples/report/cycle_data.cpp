// What happens within Lookahead's cycles, as data of figures (page_data.h): stretches of the step record, and metrics
// of fast and slow weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "curve_data.h"
#include "page_data.h"

namespace tandem::report {
namespace {

constexpr std::size_t kCycles = 8;  // a stretch, where the run has as many
constexpr double kMostSteps = 400;  // of a stretch
const char* const kPlaces[] = {"at the beginning", "in the middle", "at the end"};

/// Steps of a stretch, both included.
struct Stretch {
  double first = 0, last = 0;
};

std::vector<double> syncs_of(const CsvTable& steps) {
  std::vector<double> syncs;
  const Points points = points_of(steps, "synced");
  for (std::size_t i = 0; i < points.x.size(); ++i)
    if (points.y[i] != 0) syncs.push_back(points.x[i]);
  return syncs;
}

/// From a sync to the one kCycles later, at the beginning, in the middle or at the end of the run.
Stretch stretch_of(const std::vector<double>& syncs, std::size_t place) {
  const std::size_t cycles = std::min(kCycles, syncs.size() - 1);
  const std::size_t begin = (syncs.size() - 1 - cycles) * place / 2;
  return {syncs[begin], std::min(syncs[begin + cycles], syncs[begin] + kMostSteps)};
}

Points cut(const Points& points, const Stretch& stretch) {
  Points kept;
  for (std::size_t i = 0; i < points.x.size(); ++i)
    if (points.x[i] >= stretch.first && points.x[i] <= stretch.last)
      kept.x.push_back(points.x[i]), kept.y.push_back(points.y[i]);
  return kept;
}

/// The distance is recorded before a pull, after which it is 0: the teeth fall there.
Points with_pulls(const Points& points, const std::vector<double>& syncs) {
  Points all;
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    all.x.push_back(points.x[i]), all.y.push_back(points.y[i]);
    if (std::binary_search(syncs.begin(), syncs.end(), points.x[i])) all.x.push_back(points.x[i]), all.y.push_back(0);
  }
  return all;
}

Json stretch_panel(const RunRecord& run, std::size_t contender, const std::string& column, const std::string& label,
                   const std::vector<double>& syncs, const Stretch& stretch) {
  Points points = cut(points_of(run.steps, column), stretch);
  if (column == "distance") points = with_pulls(points, syncs);
  Json series = series_of(label, contender, {points.x, points.y, {}, {}});
  series["style"] = "line points";
  std::vector<double> marks;
  for (const double sync : syncs)
    if (sync >= stretch.first && sync <= stretch.last) marks.push_back(sync);
  return {{"kind", "lines"},         {"title", label},     {"x", {{"label", "step"}}},
          {"y", {{"label", label}}}, {"series", {series}}, {"marks", {{"x", marks}, {"label", "sync"}}}};
}

/// The first run of a contender whose record tells of at least two syncs; null without one.
const RunRecord* run_with_syncs(const Comparison& comparison, const Contender& contender) {
  for (const std::size_t i : contender.runs)
    if (syncs_of(comparison.runs[i].steps).size() > 1) return &comparison.runs[i];
  return nullptr;
}

/// The rows of inner.csv that are of these weights: 0 fast, 1 slow.
Points weights_of(const CsvTable& inner, const std::string& metric, double weights) {
  Points points;
  const std::vector<double>*kind = inner.column("weights"), *steps = inner.column("step"),
        *values = inner.column(metric);
  for (std::size_t i = 0; kind != nullptr && i < values->size(); ++i)
    if ((*kind)[i] == weights && !std::isnan((*values)[i]))
      points.x.push_back((*steps)[i]), points.y.push_back((*values)[i]);
  return points;
}

Json inner_panel(const RunRecord& run, std::size_t contender, const std::string& metric) {
  const Points fast = weights_of(run.inner, metric, 0), slow = weights_of(run.inner, metric, 1);
  Json of_fast = series_of("fast weights", contender, {fast.x, fast.y, {}, {}});
  Json of_slow = series_of("slow weights", contender, {slow.x, slow.y, {}, {}});
  of_fast["style"] = "line";
  of_slow["style"] = "line points contrast";
  return {{"kind", "lines"},
          {"title", metric},
          {"x", {{"label", "step"}}},
          {"y", {{"label", metric}}},
          {"series", {of_fast, of_slow}}};
}

}  // namespace

Json saw_tooth(const Comparison& comparison) {
  Json names = Json::array(), variants = Json::array();
  for (std::size_t c = 0; c < comparison.contenders.size(); ++c) {
    const RunRecord* run = run_with_syncs(comparison, comparison.contenders[c]);
    if (run == nullptr) continue;
    names.push_back(fmt::format("{}, seed {}", comparison.contenders[c].name, run->seed));
    const std::vector<double> syncs = syncs_of(run->steps);
    for (std::size_t place = 0; place < std::size(kPlaces); ++place) {
      const Stretch stretch = stretch_of(syncs, place);
      variants.push_back({{"kind", "group"},
                          {"figures",
                           {stretch_panel(*run, c, "distance", "|fast − slow|", syncs, stretch),
                            stretch_panel(*run, c, "loss", "loss", syncs, stretch)}}});
    }
  }
  if (variants.empty()) return nullptr;
  return {{"kind", "group"},
          {"title", "Cycles"},
          {"caption",
           "A few cycles of one run. The fast weights walk away from the slow ones for k steps; at a sync "
           "(dashed) the slow weights go the part alpha of the way, the fast weights begin anew there, and the "
           "distance is 0."},
          {"choose", {{{"label", "run"}, {"options", names}}, {{"label", "stretch"}, {"options", kPlaces}}}},
          {"variants", std::move(variants)}};
}

Json inner_curves(const Comparison& comparison) {
  Json names = Json::array(), variants = Json::array();
  for (std::size_t c = 0; c < comparison.contenders.size(); ++c)
    for (const std::size_t i : comparison.contenders[c].runs) {
      const RunRecord& run = comparison.runs[i];
      if (run.inner.rows() == 0 || run.inner.column("weights") == nullptr) continue;
      Json panels = Json::array();
      for (const std::string& column : run.inner.columns)
        if (column != "step" && column != "weights") panels.push_back(inner_panel(run, c, column));
      names.push_back(fmt::format("{}, seed {}", comparison.contenders[c].name, run.seed));
      variants.push_back({{"kind", "group"}, {"figures", std::move(panels)}});
    }
  if (variants.empty()) return nullptr;
  return {{"kind", "group"},
          {"title", "Fast and slow weights"},
          {"caption",
           "Metrics measured with the fast weights after every inner step, before the pull, and with the "
           "slow weights after each pull (dots)."},
          {"choose", {{{"label", "run"}, {"options", names}}}},
          {"variants", std::move(variants)}};
}

}  // namespace tandem::report
