// The page put together from its sections; see page.h and page_parts.h.
#include "page.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include <tandem/core/threads.h>
#include <tandem/core/versions.h>
#include <tandem/report/metrics.h>

#include "page_parts.h"

namespace tandem::quadratic {
namespace {

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(report::to_json(value));
  return list;
}

Json run_section(const Findings& f) {
  Json section = section_of("How it was measured", "", {});
  section["list"] = Json::array({{"seed", fmt::format("{}", f.effort.seed)},
                                 {"copies", report::with_commas(f.effort.copies)},
                                 {"steps, at most, of a rate", report::with_commas(f.effort.rate_steps)},
                                 {"machine", fmt::format("{}, {}, {} thread{}", processor_name(), instruction_set(),
                                                         f.threads, f.threads == 1 ? "" : "s")},
                                 {"software", library_versions()},
                                 {"time", report::shown_duration(f.seconds)}});
  section["code"] = Json::array({f.command});
  return section;
}

}  // namespace

Json section_of(const std::string& title, const std::string& text, const std::vector<std::string>& groups) {
  return {{"title", title},          {"text", text},
          {"notes", Json::array()},  {"groups", groups},
          {"tables", Json::array()}, {"figures", Json::array()}};
}

Json group_of(const std::string& title, const std::string& caption, std::vector<Json> figures) {
  return {{"kind", "group"}, {"title", title}, {"caption", caption}, {"figures", std::move(figures)}};
}

Json lines_of(const std::string& title, const Axis& x, const Axis& y) {
  return {{"kind", "lines"},
          {"title", title},
          {"x", {{"label", x.label}, {"log", x.is_log}}},
          {"y", {{"label", y.label}, {"log", y.is_log}}},
          {"series", Json::array()}};
}

void add_series(Json& lines, const std::string& name, std::size_t group, const std::string& style, const Curve& curve) {
  if (curve.x.empty()) return;
  Json series = {{"name", name}, {"group", group}, {"style", style}, {"x", numbers(curve.x)}, {"y", numbers(curve.y)}};
  if (!curve.low.empty()) series["low"] = numbers(curve.low), series["high"] = numbers(curve.high);
  lines["series"].push_back(std::move(series));
}

Json point_row(const std::string& name, std::size_t group, double value, double reach, const std::string& text) {
  return {{"name", name},
          {"group", group},
          {"value", report::to_json(value)},
          {"low", report::to_json(value - reach)},
          {"high", report::to_json(value + reach)},
          {"text", text}};
}

report::Cell digits_cell(double value, int digits) {
  if (std::isnan(value)) return {""};
  return {fmt::format("{:.{}g}", value, digits), value};
}

std::string page_of(const Findings& f) {
  return report::report_page(
      {{"title", "Lookahead on quadratics"},
       {"subtitle",
        "The two quadratics of the Lookahead paper, on which every moment can be computed: what Tandem’s "
        "optimizers do, held against the formulas."},
       {"sections", Json::array({variance_section(f.variance), convergence_section(f.convergence),
                                 rates_section(f.rates), adaptive_section(f.adaptive), run_section(f)})}});
}

}  // namespace tandem::quadratic
