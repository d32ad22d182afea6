// A survey as sections: the plane, what happens along the way, how it was measured. Sentences are computed from
// figures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <tandem/core/threads.h>
#include <tandem/core/versions.h>
#include <tandem/report/metrics.h>
#include <tandem/report/page.h>
#include <tandem/report/statistics.h>

#include "page.h"

namespace tandem::landscape {
namespace {

constexpr const char* kChord = "slow chord";

std::string metric(const Survey& s, const char* what) { return fmt::format("{}_{}", s.part, what); }

double value_of(const Measured& m, bool is_accuracy) { return is_accuracy ? m.accuracy : m.loss; }

std::string note_of(const Survey& s, const PathPoint& p) {
  return fmt::format("{}: {} {:.4f}, {} {:.4g}; {:.3g} off the plane", p.name, metric(s, "accuracy"),
                     p.measured.accuracy, metric(s, "loss"), p.measured.loss, p.place.distance);
}

Json path_series(const Survey& s, const Path& path) {
  std::vector<double> x, y;
  Json notes = Json::array();
  for (std::size_t i = 0; i < path.drawn; ++i) {
    x.push_back(path.points[i].place.x), y.push_back(path.points[i].place.y);
    notes.push_back(note_of(s, path.points[i]));
  }
  const char* style = s.kind == "through" ? "points" : path.name == kChord ? "thin line" : "line points";
  return {{"name", path.name}, {"style", style}, {"x", exact(x)}, {"y", exact(y)}, {"notes", std::move(notes)}};
}

Json plane_figure(const Survey& s, bool is_accuracy) {
  std::vector<double> cells;
  for (const Measured& m : s.grid) cells.push_back(value_of(m, is_accuracy));
  const std::string measure = metric(s, is_accuracy ? "accuracy" : "loss");
  Json figure = contours_of(measure, "Hatched: not a finite number.", measure, s.x, s.y, cells);
  figure["x"]["label"] = s.x_name;
  figure["y"]["label"] = s.y_name;
  figure["square"] = s.is_square;
  for (const Path& path : s.paths)
    if (path.drawn > 1) figure["series"].push_back(path_series(s, path));
  for (const Mark& m : s.marks)
    figure["marks"].push_back({{"name", m.name}, {"shape", m.shape}, {"x", m.x}, {"y", m.y}});
  return figure;
}

Json lines(const std::string& x, const std::string& y, std::vector<Json> series) {
  return {{"kind", "lines"}, {"title", y}, {"x", {{"label", x}}}, {"y", {{"label", y}}}, {"series", std::move(series)}};
}

Json line_figure(const Survey& s, bool is_accuracy) {
  std::vector<double> y;
  for (const Measured& m : s.grid) y.push_back(value_of(m, is_accuracy));
  std::vector<Json> series = {{{"name", "along the line"}, {"x", exact(s.x)}, {"y", exact(y)}}};
  for (const Path& path : s.paths) {
    std::vector<double> px, py;
    for (const PathPoint& p : path.points) px.push_back(p.place.x), py.push_back(value_of(p.measured, is_accuracy));
    series.push_back({{"name", path.name}, {"style", "points"}, {"x", exact(px)}, {"y", exact(py)}});
  }
  return lines(s.x_name, metric(s, is_accuracy ? "accuracy" : "loss"), std::move(series));
}

Json path_table(const Survey& s) {
  Json rows = Json::array();
  for (const Path& path : s.paths) {
    rows.push_back(Json::array({path.name}));
    for (const PathPoint& p : path.points)
      rows.push_back({p.name, exact(p.place.x), exact(p.place.y), exact(p.place.distance), exact(p.measured.loss),
                      exact(p.measured.accuracy)});
  }
  return {{"caption", "Points of paths"},
          {"columns",
           {{{"name", "point"}, {"text", true}}, "x", "y", "off the plane", metric(s, "loss"), metric(s, "accuracy")}},
          {"rows", std::move(rows)},
          {"note", ""}};
}

const Path* find_path(const Survey& s, const std::string& name) {
  for (const Path& path : s.paths)
    if (path.name == name) return &path;
  return nullptr;
}

Json updates_figure(const Survey& s, bool is_accuracy) {
  std::vector<Json> series;
  std::vector<double> syncs;
  for (const Path& path : s.paths) {
    if (path.name == kChord) continue;
    std::vector<double> x, y;
    Json notes = Json::array();
    for (const PathPoint& p : path.points) {
      x.push_back(static_cast<double>(p.step)), y.push_back(value_of(p.measured, is_accuracy));
      notes.push_back(p.is_before_pull ? "before the pull" : "");
      if (p.is_before_pull) syncs.push_back(x.back());
    }
    series.push_back(
        {{"name", path.name}, {"style", "line points"}, {"x", exact(x)}, {"y", exact(y)}, {"notes", notes}});
  }
  Json figure = lines("step", metric(s, is_accuracy ? "accuracy" : "loss"), std::move(series));
  if (!syncs.empty()) figure["marks"] = {{"x", exact(syncs)}, {"label", "sync"}};
  return figure;
}

Json chord_figure(const Survey& s, const Path& chord, bool is_accuracy) {
  std::vector<double> alpha, y;
  for (std::size_t i = 0; i < chord.points.size(); ++i)
    alpha.push_back(static_cast<double>(i) / 10), y.push_back(value_of(chord.points[i].measured, is_accuracy));
  return lines("alpha", metric(s, is_accuracy ? "accuracy" : "loss"),
               {{{"name", "along the chord"}, {"style", "line points"}, {"x", exact(alpha)}, {"y", exact(y)}}});
}

/// A mean with its 95 % interval over syncs, and what follows.
std::string change_text(const std::string& what, const std::vector<double>& changes) {
  const report::PairedDifference d = report::paired_difference(changes);
  if (d.seeds < 2) return {};
  return fmt::format("{} changed accuracy by {:+.4f} in the mean ({:+.4f} to {:+.4f}, 95 % over {} cycles){}.", what,
                     d.mean, d.low, d.high, d.seeds, d.is_beyond_chance() ? "" : ": nothing follows");
}

std::vector<std::string> cycle_findings(const Survey& s) {
  const Path* const fast = find_path(s, "fast weights");
  if (fast == nullptr) return {};
  std::vector<double> pulls, loops;
  double begun = fast->points.front().measured.accuracy, fasts = 0, slows = 0;
  for (std::size_t i = 0; i + 1 < fast->points.size(); ++i) {
    if (!fast->points[i].is_before_pull) continue;
    const double last = fast->points[i].measured.accuracy, slow = fast->points[i + 1].measured.accuracy;
    pulls.push_back(slow - last), loops.push_back(last - begun);
    fasts += last, slows += slow;
    begun = slow;
  }
  if (pulls.empty()) return {};
  const auto count = static_cast<double>(pulls.size());
  std::vector<std::string> all = {change_text("The fast steps of an inner loop", loops),
                                  change_text("The pull", pulls)};
  all.push_back(
      fmt::format("Mean accuracy at syncs: {:.4f} before the pull, {:.4f} after it.", fasts / count, slows / count));
  if (const Path* const inner = find_path(s, "inner rule continued")) {
    double sum = 0, slow = 0;
    for (const PathPoint& p : inner->points) sum += p.measured.accuracy / static_cast<double>(inner->points.size());
    for (const PathPoint& p : fast->points) slow += p.measured.accuracy / static_cast<double>(fast->points.size());
    all.push_back(fmt::format(
        "Over all updates the mean accuracy is {:.4f} with pulls and {:.4f} of the inner rule continued.", slow, sum));
  }
  if (const Path* const chord = find_path(s, kChord)) {
    const auto best =
        std::max_element(chord->points.begin(), chord->points.end(),
                         [](const PathPoint& a, const PathPoint& b) { return a.measured.loss > b.measured.loss; });
    all.push_back(fmt::format("On the chord the loss is least at {} ({:.4f}; at its ends {:.4f} and {:.4f}).",
                              best->name, best->measured.loss, chord->points[0].measured.loss,
                              chord->points[10].measured.loss));
  }
  std::erase(all, "");
  return all;
}

std::vector<std::string> findings(const Survey& s) {
  std::vector<std::string> all = s.findings;
  for (const std::string& one : cycle_findings(s)) all.push_back(one);
  for (const Path& path : s.paths)
    if (path.drawn > 2 && path.name != kChord && !s.is_line())
      all.push_back(
          fmt::format("The plane holds {:.1f} % of the variance of \"{}\" ({:.1f} % along x, {:.1f} % along y).",
                      100 * path.shares.total(), path.name, 100 * path.shares.along[0], 100 * path.shares.along[1]));
  return all;
}

Json measured_section(const Survey& s) {
  Json list = Json::array(
      {{"model", s.model},
       {"pictures", fmt::format("{} of the {} set of {}, spread over it", s.images, s.part, s.dataset)},
       {"points", fmt::format("{} x {} nodes, {} points of paths", s.x.size(), s.y.size(), s.path_points())},
       {"machine", fmt::format("{}, {}, one thread a point", processor_name(), instruction_set())},
       {"software", library_versions()},
       {"time", report::shown_duration(s.seconds)}});
  return {{"title", "How it was measured"}, {"text", s.statistics}, {"list", std::move(list)}, {"code", {s.command}}};
}

}  // namespace

std::string survey_text(const Survey& s) {
  std::string text = s.title + "\n";
  for (const Path& path : s.paths)
    if (path.points.size() <= 16)
      for (const PathPoint& p : path.points)
        text += fmt::format("  {:<24} {:<28} {} {:.4f}  {} {:.4f}\n", path.name, p.name, metric(s, "loss"),
                            p.measured.loss, metric(s, "accuracy"), p.measured.accuracy);
  for (const std::string& one : findings(s)) text += "  " + one + "\n";
  return text;
}

std::string survey_page(const Survey& s) {
  Json plane = {{"title", s.title}, {"text", s.about}, {"notes", findings(s)}, {"figures", Json::array()}};
  for (const bool is_accuracy : {true, false})
    plane["figures"].push_back(s.is_line() ? line_figure(s, is_accuracy) : plane_figure(s, is_accuracy));
  Json sections = Json::array({std::move(plane)});
  if (s.kind == "cycle" || s.kind == "pca") {
    Json way = {{"title", s.kind == "cycle" ? "After every update" : "Along the way"}, {"figures", Json::array()}};
    for (const bool is_accuracy : {true, false}) way["figures"].push_back(updates_figure(s, is_accuracy));
    sections.push_back(std::move(way));
  }
  if (const Path* const chord = find_path(s, kChord)) {
    Json section = {
        {"title", "Along the slow chord"},
        {"text", "From the first to the last fast weights of the loop: alpha is how far the slow weights go."},
        {"figures", Json::array()}};
    for (const bool is_accuracy : {true, false}) section["figures"].push_back(chord_figure(s, *chord, is_accuracy));
    sections.push_back(std::move(section));
  }
  Json last = measured_section(s);
  last["further_tables"] = Json::array({path_table(s)});
  sections.push_back(std::move(last));
  return report::report_page({{"title", s.title},
                              {"subtitle", fmt::format("{} pictures of {}", s.images, s.dataset)},
                              {"sections", std::move(sections)}});
}

}  // namespace tandem::landscape
