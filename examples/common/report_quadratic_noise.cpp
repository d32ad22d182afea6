// Sections of quadratic with noise: steady-state variance, and convergence at equal final loss.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "html.h"
#include "plot.h"
#include "report_quadratic_parts.h"

namespace tandem::examples {
namespace {

using Json = nlohmann::ordered_json;

Cell code_cell(const std::string& text) { return {"<code>" + escaped(text) + "</code>", false}; }

/// "SGD, lr 0.1553", "Lookahead, k 5, alpha 0.3, lr 0.6569".
std::string method_text(const Json& row) {
  const std::string lr = fmt::format("lr {:.4f}", number(row, "lr"));
  if (row.at("method") == "sgd") return "SGD, " + lr;
  return fmt::format("Lookahead, k {}, alpha {}, {}", row.at("k").get<int>(), number(row, "alpha"), lr);
}

}  // namespace

std::string variance_html(const Json& rows) {
  Plot values{.title = "E θ² in the long run",
              .note = "formula and measurement",
              .x = {.label = "setting"},
              .y = {.is_log = true}};
  Plot ratios{
      .title = "Measured / formula", .note = "bars: three standard errors", .x = {.label = "setting"}, .rule = 1};
  PlotSeries theory[2], measured[2], ratio[2];
  double least = std::numeric_limits<double>::infinity(), most = 0, sgd = 1;  // Lookahead's variance / SGD's
  std::size_t inside = 0;
  Table table;
  table.caption = "Steady-state variance; deviation is (measured − formula) / standard error";
  table.columns = {"setting", "curvature", "rule", "formula", "measured", "standard error", "deviation"};
  table.groups.emplace_back();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& row = rows[i];
    const auto setting = static_cast<double>(i / 2 + 1);  // SGD and Lookahead in turn
    const std::size_t method = row.at("method") == "sgd" ? 0 : 1;
    const double x = setting + (method == 0 ? -0.12 : 0.12), formula = number(row, "theory"),
                 found = number(row, "measured"), error = number(row, "standard_error");
    theory[method].points.push_back({x, formula});
    measured[method].points.push_back({x, found, found - 3 * error, found + 3 * error});
    ratio[method].points.push_back({x, found / formula, (found - 3 * error) / formula, (found + 3 * error) / formula});
    if (method == 0)
      sgd = found;
    else
      least = std::min(least, found / sgd), most = std::max(most, found / sgd);
    inside += std::abs(found - formula) <= 3 * error ? 1U : 0U;
    if (method == 0) values.x.categories.push_back(std::to_string(i / 2 + 1));
    table.groups.front().rows.push_back({values.x.categories.back(),
                                         {{significant_html(number(row, "curvature"))},
                                          code_cell(row.at("rule")),
                                          {significant_html(formula, 5)},
                                          {significant_html(found, 5)},
                                          {significant_html(error, 2)},
                                          {significant_html(number(row, "deviation"), 2)}}});
  }
  ratios.x.categories = values.x.categories;
  const char* const names[] = {"SGD", "Lookahead"};
  const PlotStyle styles[] = {kAloneStyle, kLookaheadStyle};
  for (std::size_t method : {0U, 1U}) {
    for (PlotSeries* series : {&theory[method], &measured[method], &ratio[method]}) {
      series->style = styles[method];
      series->has_line = false;
      series->spread = PlotSeries::Spread::bars;
    }
    theory[method].name = fmt::format("{}, formula", names[method]);
    theory[method].is_open = true;
    measured[method].name = fmt::format("{}, measured", names[method]);
    ratio[method].name = names[method];
    values.series.push_back(theory[method]);
    ratios.series.push_back(ratio[method]);
  }
  values.series.insert(values.series.end(), {measured[0], measured[1]});
  return section_html(
      "Steady-state variance", "On L = a/2 (θ − c)² with c ~ N(0, 1) anew in every step.",
      plots_html({values, ratios}) + table_html(table) +
          findings_html({fmt::format("{} of {} measurements lie within three standard errors of the formula.", inside,
                                     rows.size()),
                         fmt::format("At the same lr Lookahead’s measured variance is {:.2f} to {:.2f} of "
                                     "SGD’s. That alone is no gain: a smaller lr lowers SGD’s too.",
                                     least, most)}));
}

std::string convergence_html(const Json& json) {
  Plot steps{.title = "Steps to the target",
             .note = "lines: formula, rings: measured",
             .x = {.label = "final loss", .is_log = true},
             .y = {.is_log = true}};
  Plot ratio{.title = "Lookahead’s steps / SGD’s",
             .note = "below 1 it is quicker",
             .x = {.label = "final loss", .is_log = true},
             .rule = 1};
  std::map<double, double> sgd, quickest;
  PlotSeries fixed[3];
  constexpr double kAlphas[] = {0.2, 0.5, 0.8};
  for (const Json& point : json.at("sweep")) {
    const double final = number(point, "final_loss"), count = number(point, "steps"), alpha = number(point, "alpha");
    if (point.at("method") == "sgd") {
      sgd[final] = count;
      continue;
    }
    const auto best = quickest.emplace(final, count).first;
    best->second = std::min(best->second, count);
    for (std::size_t i = 0; i < std::size(kAlphas); ++i)
      if (alpha == kAlphas[i]) fixed[i].points.push_back({final, count});
  }
  PlotSeries plain{.name = "SGD", .style = kAloneStyle, .has_marks = false},
      best{.name = "Lookahead, quickest alpha", .style = kLookaheadStyle, .has_marks = false},
      relative{.name = "quickest alpha", .style = kLookaheadStyle};
  int fewer = 0, more = 0, equal = 0;
  for (const auto& [final, count] : sgd) plain.points.push_back({final, count});
  for (const auto& [final, count] : quickest) {
    best.points.push_back({final, count});
    if (sgd.count(final) == 0) continue;
    relative.points.push_back({final, count / sgd[final]});
    ++(count < sgd[final] ? fewer : count > sgd[final] ? more : equal);
  }
  steps.series = {plain, best};
  for (std::size_t i = 0; i < std::size(kAlphas); ++i) {
    fixed[i].name = fmt::format("alpha {}", kAlphas[i]);
    fixed[i].style = {static_cast<int>(i) + 1, static_cast<int>(i) + 1};
    fixed[i].has_marks = false;
    steps.series.push_back(fixed[i]);
  }
  ratio.series = {relative};
  PlotSeries measured[2];
  Table table;
  table.caption = "Measured; deviations are in standard errors";
  table.columns = {"method", "final loss, formula", "measured", "deviation", "steps, formula", "measured"};
  table.groups.emplace_back();
  for (const Json& row : json.at("measured")) {
    const Json& end = row.at("final_measured");
    const double final = number(row, "final_loss"), mean = number(end, "mean"), error = number(end, "standard_error");
    measured[row.at("method") == "sgd" ? 0 : 1].points.push_back({final, number(row, "steps_measured")});
    table.groups.front().rows.push_back({method_text(row),
                                         {{significant_html(final)},
                                          {significant_html(mean, 5)},
                                          {significant_html((mean - final) / error, 2)},
                                          {significant_html(number(row, "steps"), 6)},
                                          {significant_html(number(row, "steps_measured"), 6)}}});
  }
  for (const std::size_t method : {0U, 1U}) {
    measured[method].style = method == 0 ? kAloneStyle : kLookaheadStyle;
    measured[method].has_line = false;
    measured[method].is_open = true;
    steps.series.push_back(measured[method]);
  }
  return section_html(
      "Convergence at equal final loss",
      fmt::format("{} curvatures from 1 to {}. Every method has the lr with which it ends at the given loss; "
                  "the target is reached when {} of the way from the start is left. Lookahead’s steps "
                  "are whole cycles.",
                  json.at("curvatures").size(), significant_html(json.at("curvatures").back().get<double>()),
                  significant_html(number(json, "left"))),
      plots_html({steps, ratio}) + table_html(table) +
          findings_html(
              {fmt::format("By formula Lookahead with its quickest alpha needs fewer steps than SGD at {} of {} "
                           "final losses, as many at {}, more at {}.",
                           fewer, fewer + equal + more, equal, more)}));
}

}  // namespace tandem::examples
