// A section a problem: figures of distance and gap along each axis, with the reconstruction beside the measurement.
#include "page.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <tandem/core/threads.h>
#include <tandem/core/versions.h>
#include <tandem/report/metrics.h>
#include <tandem/report/page.h>

#include "tables.h"

namespace tandem::stability {
namespace {

using report::Json;

Json exact(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(std::isfinite(value) ? Json(value) : report::to_json(value));
  return list;
}

const char* label_of(Axis axis) {
  constexpr const char* kLabels[] = {"batch size b", "examples n", "k",
                                     "alpha",        "steps",      "batch size b, lr ~ b, steps ~ 1/b"};
  return kLabels[static_cast<std::size_t>(axis)];
}

std::size_t group_of(const std::string& method) { return method == "sgd" ? 0 : method == "lookahead" ? 2 : 1; }

Json figure_of(const std::vector<Cell>& cells, const Problem& problem, Axis axis, Quantity quantity) {
  Json series = Json::array();
  for (const Curve& curve : curves(cells, problem.name, axis, quantity)) {
    std::vector<double> mean, low, high;
    for (const Interval& i : curve.values) mean.push_back(i.mean), low.push_back(i.low), high.push_back(i.high);
    series.push_back({{"name", curve.method},
                      {"group", group_of(curve.method)},
                      {"style", "line points bars"},
                      {"x", exact(curve.at)},
                      {"y", exact(mean)},
                      {"low", exact(low)},
                      {"high", exact(high)}});
    if (quantity != Quantity::distance2 || axis == Axis::k || axis == Axis::speedup) continue;
    series.push_back({{"name", curve.method + ", our reconstruction"},
                      {"group", group_of(curve.method)},
                      {"style", "thin"},
                      {"x", exact(curve.at)},
                      {"y", exact(theory(cells, problem, axis, curve))}});
  }
  return {{"kind", "lines"},
          {"title", fmt::format("{} by {}", name(quantity), label_of(axis))},
          {"x", {{"label", label_of(axis)}, {"log", true}}},
          {"y", {{"label", name(quantity)}, {"log", quantity == Quantity::distance2}}},
          {"series", std::move(series)}};
}

Json section_of(const std::vector<Cell>& cells, const Problem& problem, const Settings& s) {
  Settings one = s;
  one.problems = {problem.name};
  Json figures = Json::array();
  for (const Axis axis : {Axis::batch, Axis::n, Axis::k, Axis::alpha, Axis::steps})
    for (const Quantity quantity : {Quantity::distance2, Quantity::gap})
      figures.push_back(figure_of(cells, problem, axis, quantity));
  for (const Quantity quantity : {Quantity::distance2, Quantity::test})
    figures.push_back(figure_of(cells, problem, Axis::speedup, quantity));
  return {{"title", problem.title},
          {"text", fmt::format("{} lr {:g}; at alpha lr {:g}.", problem.about, problem.lr, problem.lr * s.alpha)},
          {"groups", {"sgd", "sgd at alpha lr", "lookahead"}},
          {"tables", Json::array({report::to_json(base_table(cells, problem.name, s)),
                                  report::to_json(ratio_table(ratio_rows(cells, one))),
                                  report::to_json(slope_table(slope_rows(cells, one)))})},
          {"figures", std::move(figures)}};
}

}  // namespace

std::string page_of(const Record& record, const std::vector<Cell>& cells) {
  const Settings& s = record.settings;
  Json sections = Json::array();
  for (const std::string& problem : s.problems) sections.push_back(section_of(cells, find_problem(problem), s));
  sections.push_back(
      {{"title", "How it was measured"},
       {"text",
        "Trainings on a set and on its neighbours, which differ in one example, with the same initial weights and "
        "batch "
        "indices; batches are drawn with replacement. distance² is the mean of |w(S) - w(S^(i))|² over neighbours; the "
        "gap is the mean of loss(w(S^(i)); z_i) - loss(w(S); z_i), which is the generalization gap in the mean. Thin "
        "curves are our reconstruction of the bounds, known up to a factor: each is scaled to meet its measurement at "
        "one point, the last one along the steps, else the first."},
       {"list", Json::array({{"repetitions", fmt::format("{}", s.repetitions)},
                             {"neighbours", fmt::format("all, {} at most", s.neighbours)},
                             {"seed", fmt::format("{}", s.seed)},
                             {"machine", fmt::format("{}, {}", processor_name(), instruction_set())},
                             {"software", library_versions()},
                             {"time", report::shown_duration(record.seconds)}})},
       {"code", {record.command}}});
  return report::report_page({{"title", "Stability of SGD and Lookahead"},
                              {"subtitle", "On-average model stability: what one example changes"},
                              {"sections", std::move(sections)}});
}

}  // namespace tandem::stability
