// Walks as contours with paths, losses over steps, and tables.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <tandem/report/metrics.h>
#include <tandem/report/page.h>
#include <tandem/report/table.h>

#include "page.h"

namespace tandem::landscape {
namespace {

constexpr std::int64_t kNodes = 101;

Json path_of(const Walk& walk, std::size_t group) {
  std::vector<double> x, y;
  Json notes = Json::array();
  for (const WalkPoint& p : walk.points) {
    x.push_back(p.x), y.push_back(p.y);
    notes.push_back(fmt::format("step {}{}: loss {:.4g} at {:.4g}, {:.4g}", p.step,
                                p.is_before_pull ? ", before the pull" : "", p.loss, p.x, p.y));
  }
  Json series = {{"name", walk.label}, {"group", group}, {"style", "line points"},
                 {"x", exact(x)},      {"y", exact(y)},  {"notes", std::move(notes)}};
  if (walk.diverged) series["end"] = {{"mark", "cross"}, {"text", "diverged"}};
  return series;
}

Json plane_of(const SurfaceWalks& one) {
  const Surface& f = *one.surface;
  const std::vector<double> x = spaced(f.low.x, f.high.x, kNodes), y = spaced(f.low.y, f.high.y, kNodes);
  std::vector<double> cells;
  for (const double b : y)
    for (const double a : x) cells.push_back(f.value(a, b));
  Json figure = contours_of(f.name, f.formula, "loss", x, y, cells);
  figure["x"]["label"] = "x";
  figure["y"]["label"] = "y";
  figure["square"] = true;
  for (std::size_t i = 0; i < one.walks.size(); ++i) figure["series"].push_back(path_of(one.walks[i], i));
  figure["marks"].push_back({{"name", "start"}, {"shape", "ring"}, {"x", one.start.x}, {"y", one.start.y}});
  for (const Spot& m : f.minima)
    figure["marks"].push_back({{"name", "minimum"}, {"shape", "star"}, {"x", m.x}, {"y", m.y}});
  return figure;
}

Json losses_of(const SurfaceWalks& one) {
  const Surface& f = *one.surface;
  double least = std::numeric_limits<double>::infinity();
  for (const Spot& m : f.minima) least = std::min(least, f.value(m.x, m.y));
  Json series = Json::array();
  for (std::size_t i = 0; i < one.walks.size(); ++i) {
    std::vector<double> x, y;
    for (const WalkPoint& p : one.walks[i].points) {
      x.push_back(static_cast<double>(p.step));
      y.push_back(std::max(p.loss - least, 0.0));
    }
    series.push_back({{"name", one.walks[i].label}, {"group", i}, {"x", exact(x)}, {"y", exact(y)}});
  }
  return {{"kind", "lines"},
          {"title", "loss above the minimum"},
          {"x", {{"label", "step"}}},
          {"y", {{"label", "loss above the minimum"}, {"log", true}}},
          {"series", std::move(series)}};
}

report::Table table_of(const SurfaceWalks& one) {
  report::Table table{fmt::format("{}: {}", one.surface->name, one.surface->formula),
                      {{"optimizer", true}, {"steps"}, {"loss at the end"}, {"distance to a minimum"}, {"end", true}},
                      {},
                      "The end is that of the evaluation weights."};
  for (const Walk& walk : one.walks)
    table.rows.push_back({{walk.optimizer},
                          {fmt::format("{}", walk.points.back().step), static_cast<double>(walk.points.back().step)},
                          {fmt::format("{:.4g}", walk.end_loss), walk.end_loss},
                          {fmt::format("{:.4g}", walk.distance), walk.distance},
                          {walk.diverged ? "diverged" : fmt::format("{:.4g}, {:.4g}", walk.end.x, walk.end.y)}});
  return table;
}

}  // namespace

std::string walk_text(const std::vector<SurfaceWalks>& all) {
  std::string text;
  for (const SurfaceWalks& one : all) text += report::table_text(table_of(one)) + "\n";
  return text;
}

std::string walk_page(const std::vector<SurfaceWalks>& all, const std::string& command) {
  Json sections = Json::array();
  for (const SurfaceWalks& one : all) {
    Json groups = Json::array();
    for (const Walk& walk : one.walks) groups.push_back(walk.label);
    sections.push_back({{"title", one.surface->name},
                        {"text", one.surface->formula},
                        {"groups", std::move(groups)},
                        {"tables", Json::array({report::to_json(table_of(one))})},
                        {"figures", Json::array({plane_of(one), losses_of(one)})}});
  }
  sections.push_back({{"title", "How it was made"},
                      {"text",
                       "Tandem’s own rules on its own gradients, in f64. At a sync the inner rule’s last point stands "
                       "before the one to which the pull sends it."},
                      {"code", {command}}});
  return report::report_page({{"title", "Optimizers walking"}, {"subtitle", ""}, {"sections", std::move(sections)}});
}

}  // namespace tandem::landscape
