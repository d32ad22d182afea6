// Explanations as data of a page; see update_page.h.
#include "update_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/report/metrics.h>
#include <tandem/report/page.h>

namespace tandem::explain {
namespace {

/// A number of the trace; texts stand for those that are not finite.
double value_of(const Json& json) {
  return json.is_string() ? report::parse_number(json.get<std::string>(), "explain") : json.get<double>();
}

/// As few digits as read back the same in the optimizer's precision.
std::string shown(double value, bool is_single) {
  return is_single ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
}

bool is_sync(const Json& line) { return line.at("formula") == "sync"; }

/// Weights that a rule keeps beside the fast ones: slow ones of loops, averages.
bool is_kept_weight(const std::string& path) { return path.ends_with("slow") || path.ends_with("average"); }

struct Curve {
  std::vector<std::int64_t> x;
  std::vector<double> y;
  void add(std::int64_t step, double value) { x.push_back(step), y.push_back(value); }
};

/// The weight at the end of each step, and before a pull what the inner rule made of it: teeth.
Curve fast_path(const std::vector<const Json*>& steps) {
  Curve curve;
  curve.add(steps.front()->at("step").get<std::int64_t>() - 1, value_of(steps.front()->at("before")));
  for (const Json* step : steps) {
    const std::int64_t at = step->at("step");
    const double after = value_of(step->at("after"));
    double moved = value_of(step->at("before"));
    std::vector<double> values;
    for (const Json& line : step->at("lines")) {
      if (line.at("place") != "" || line.at("name") == "g") continue;
      if (is_sync(line)) values.push_back(moved);
      moved = value_of(line.at("value"));
    }
    for (const double value : values) curve.add(at, value);
    curve.add(at, after);
  }
  return curve;
}

/// A kept weight moves at syncs alone: steps with a rise at once.
Curve kept_path(const std::vector<const Json*>& steps, const std::string& path) {
  Curve curve;
  double now = value_of(steps.front()->at("state").at(path));
  curve.add(steps.front()->at("step").get<std::int64_t>() - 1, now);
  for (const Json* step : steps) {
    const std::int64_t at = step->at("step");
    curve.add(at, now);
    for (const Json& line : step->at("lines"))
      if (line.at("place") == path) curve.add(at, now = value_of(line.at("value")));
  }
  return curve;
}

Json series_of(const std::string& name, const Curve& curve) {
  Json y = Json::array();  // every digit: steps are small beside weights
  for (const double value : curve.y) y.push_back(std::isfinite(value) ? Json(value) : report::to_json(value));
  return {{"name", name}, {"x", curve.x}, {"y", std::move(y)}};
}

Json paths_of(const std::vector<const Json*>& steps) {
  Json series = Json::array({series_of("fast", fast_path(steps))});
  for (const auto& [path, value] : steps.front()->at("state").items())
    if (is_kept_weight(path)) series.push_back(series_of(path, kept_path(steps, path)));
  return {{"kind", "lines"},
          {"title", "Paths of the weight"},
          {"caption",
           "Before the first step, and after each. At a sync the fast weight goes to the slow one: first where "
           "the inner rule took it, then where it was sent."},
          {"x", {{"label", "step"}}},
          {"y", {{"label", "weight"}}},
          {"series", std::move(series)}};
}

bool is_single(const Json& explanation) { return explanation.at("dtype") == "f32"; }

/// A step of the slider.
Json step_of(const Json& explanation) {
  const auto text = [is_single = is_single(explanation)](const Json& value) {
    return shown(value_of(value), is_single);
  };
  Json lines = Json::array();
  bool synced = false;
  for (const Json& line : explanation.at("lines")) {
    synced = synced || is_sync(line);
    Json terms = Json::array();
    for (const Json& term : line.at("terms"))  // not: the value before, nor a copy
      if (term.at("symbols") != line.at("name") && !is_sync(line))
        terms.push_back({{"name", term.at("symbols")}, {"value", report::to_json(value_of(term.at("value")))}});
    const std::string place = line.at("place");
    lines.push_back({{"rule", line.at("formula")},
                     {"key", fmt::format("{} {} {}", line.at("formula").get<std::string>(), place,
                                         line.at("name").get<std::string>())},
                     {"name", line.at("name")},
                     {"symbols", line.at("symbols")},
                     {"numbers", line.at("numbers")},
                     {"value", text(line.at("value"))},
                     {"terms", std::move(terms)}});
  }
  const Json& gradient = explanation.at("gradient");
  return {{"step", explanation.at("step")},           {"synced", synced},
          {"before", text(explanation.at("before"))}, {"gradient", gradient.is_null() ? "none" : text(gradient)},
          {"after", text(explanation.at("after"))},   {"lines", std::move(lines)}};
}

Json table_of(const std::vector<const Json*>& steps) {
  std::vector<std::string> kept;
  for (const auto& [path, value] : steps.front()->at("state").items())
    if (is_kept_weight(path)) kept.push_back(path);
  Json columns = {"step", "before", "gradient", "change", "after"};
  for (const std::string& path : kept) columns.push_back(path + " before");
  columns.push_back({{"name", "sync"}, {"text", true}});
  Json rows = Json::array();
  const auto cell = [is_single = is_single(*steps.front())](double value) {
    return Json{{"text", shown(value, is_single)},
                {"value", std::isfinite(value) ? Json(value) : report::to_json(value)}};
  };
  for (const Json* step : steps) {
    const Json& lines = step->at("lines");
    const double before = value_of(step->at("before")), after = value_of(step->at("after"));
    Json row = {fmt::format("{}", step->at("step").get<std::int64_t>()), cell(before)};
    row.push_back(step->at("gradient").is_null() ? Json("none") : cell(value_of(step->at("gradient"))));
    row.push_back(cell(after - before));
    row.push_back(cell(after));
    for (const std::string& path : kept) row.push_back(cell(value_of(step->at("state").at(path))));
    row.push_back(std::any_of(lines.begin(), lines.end(), is_sync) ? "yes" : "");
    rows.push_back(std::move(row));
  }
  return {{"caption", "Steps"}, {"columns", std::move(columns)}, {"rows", std::move(rows)}, {"note", ""}};
}

Json section_of(const std::vector<const Json*>& steps, std::int64_t chosen) {
  Json sliding = Json::array();
  std::size_t at = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i]->at("step") == chosen) at = i;
    sliding.push_back(step_of(*steps[i]));
  }
  return {{"title", name_of(*steps[at])},
          {"text", steps[at]->at("rule")},
          {"figures", Json::array({{{"kind", "update"},
                                    {"title", name_of(*steps[at])},
                                    {"steps", std::move(sliding)},
                                    {"at", at},
                                    {"paths", paths_of(steps)}}})},
          {"further_tables", Json::array({table_of(steps)})},
          {"code", Json::array({steps[at]->at("text")})}};
}

}  // namespace

std::string name_of(const Json& explanation) {
  std::string index;
  for (const Json& i : explanation.at("index"))
    index += fmt::format("{}{}", index.empty() ? "" : ", ", i.get<std::int64_t>());
  return fmt::format("{}[{}]", explanation.at("parameter").get<std::string>(), index);
}

std::string update_page(const Json& trace, const PageTitle& title) {
  std::vector<std::vector<const Json*>> weights;
  for (const Json& step : trace.at("steps")) {
    const Json& all = step.at("weights");
    weights.resize(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) weights[i].push_back(&all[i]);
  }
  Json sections = Json::array();
  for (const auto& steps : weights) sections.push_back(section_of(steps, title.step));
  return report::report_page({{"title", fmt::format("Step {}, weight by weight", title.step)},
                              {"subtitle", fmt::format("{}, {}; {}", title.program, title.run, title.note)},
                              {"sections", std::move(sections)}});
}

}  // namespace tandem::explain
