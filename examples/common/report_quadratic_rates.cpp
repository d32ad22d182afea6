// Sections of quadratic about speed: rates of the heavy ball under Lookahead, and adaptive alpha. Colours: one a state
// of the momentum (or an alpha); dashes: k.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "html.h"
#include "plot.h"
#include "report_quadratic_parts.h"

namespace tandem::examples {
namespace {

using Json = nlohmann::ordered_json;

/// "heavy ball alone", "maintain, k = 5".
std::string method_name(const Json& row) {
  if (row.at("state") == "none") return "heavy ball alone";
  return fmt::format("{}, k = {}", row.at("state").get<std::string>(), row.at("k").get<int>());
}

PlotStyle method_style(const Json& row) {
  const std::string state = row.at("state");
  const int dash = row.at("k").get<int>() == 20 ? 1 : 0;
  return state == "none"          ? kAloneStyle
         : state == "maintain"    ? PlotStyle{0, dash}
         : state == "interpolate" ? PlotStyle{1, dash}
                                  : PlotStyle{2, dash};
}

/// Rates by method over x(row): as they are, and relative to the heavy ball alone.
std::vector<Plot> rate_plots(const Json& rows, const std::string& label, const std::function<double(const Json&)>& x) {
  Plot rates{.title = "Rate",
             .note = "= 1 − contraction per step; rings: measured",
             .x = {.label = label, .is_log = true},
             .y = {.is_log = true}};
  Plot ratios{.title = "Rate / rate of the heavy ball alone",
              .note = "below 1 Lookahead loses",
              .x = {.label = label, .is_log = true},
              .y = {.is_log = true},
              .rule = 1};
  std::vector<std::string> names;
  std::map<std::string, PlotSeries> theory, measured, relative;
  std::map<double, double> alone;
  for (const Json& row : rows) {
    const std::string name = method_name(row);
    const double at = x(row), rate = number(row, "theory");
    if (row.at("state") == "none") alone[at] = rate;
    if (theory.count(name) == 0) names.push_back(name);
    theory[name].points.push_back({at, rate});
    measured[name].points.push_back({at, number(row, "measured")});
    relative[name].points.push_back({at, rate / alone[at]});
    for (auto* series : {&theory[name], &measured[name], &relative[name]}) series->style = method_style(row);
  }
  for (const std::string& name : names) {
    theory[name].name = relative[name].name = name;
    measured[name].has_line = false;
    measured[name].is_open = true;
    rates.series.push_back(theory[name]);
    if (name != names.front()) ratios.series.push_back(relative[name]);
  }
  for (const std::string& name : names) rates.series.push_back(measured[name]);
  return {rates, ratios};
}

/// How many of the Lookaheads in the right one of rate_plots are faster than the heavy ball alone, and how many slower.
/// The grid of lr does not tell rates apart that differ by less than 1 %.
std::string count_rates(const std::vector<Plot>& plots, const std::string& against) {
  int faster = 0, slower = 0, near = 0;
  for (const PlotSeries& series : plots.back().series)
    for (const PlotPoint& point : series.points) ++(point.y > 1.01 ? faster : point.y < 0.99 ? slower : near);
  return fmt::format(
      "Against {}: of {} Lookaheads {} are faster than the heavy ball alone, {} slower, {} within 1\u00A0%.", against,
      faster + slower + near, faster, slower, near);
}

std::string lr_one_html(const Json& rows) {
  Plot plot{.title = "Rate with lr 1, condition 1,000, momentum 0.99",
            .note = "below 0 it diverges",
            .x = {.label = "state at a sync, k = 5"},
            .rule = 0};
  PlotSeries theory{.name = "formula", .style = {3, 0}, .has_line = false, .is_open = true},
      measured{.name = "measured", .style = {0, 0}, .has_line = false};
  Table table;
  table.caption = "Rates with lr 1";
  table.columns = {"", "formula", "measured", ""};
  table.groups.emplace_back();
  for (const Json& row : rows) {
    const double rate = number(row, "theory"), found = number(row, "measured"),
                 at = static_cast<double>(plot.x.categories.size() + 1);
    plot.x.categories.push_back(row.at("state") == "none" ? "alone" : row.at("state").get<std::string>());
    theory.points.push_back({at, rate});
    measured.points.push_back({at, found});
    table.groups.front().rows.push_back(
        {escaped(method_name(row)),
         {{significant_html(rate)}, {significant_html(found)}, {found < 0 ? "diverges" : "converges", false}}});
  }
  plot.series = {measured, theory};
  return plots_html({plot}) + table_html(table);
}

}  // namespace

std::string rates_html(const Json& json) {
  const auto condition =
      rate_plots(json.at("by_condition"), "condition number", [](const Json& row) { return number(row, "condition"); });
  const auto momentum = rate_plots(json.at("by_momentum"), "1 / (1 − momentum)",
                                   [](const Json& row) { return 1 / (1 - number(row, "momentum")); });
  return section_html(
             "Rate of the heavy ball",
             "Without noise, worst over curvatures from 1 / condition to 1, each method with its best lr. At a sync "
             "Lookahead (alpha 0.5) maintains, interpolates or resets the momentum. Against the condition number "
             "momentum is 0.99:",
             plots_html(condition)) +
         "<p>Against momentum, with condition 100:</p>\n" + plots_html(momentum) +
         "<p>With an lr of 1 instead of the best one:</p>\n" + lr_one_html(json.at("at_lr_one")) +
         findings_html({count_rates(condition, "the condition number"), count_rates(momentum, "momentum")});
}

std::string adaptive_html(const Json& json) {
  std::vector<Plot> all;
  std::vector<std::string> findings;
  double best = 0;  // last loss of the fixed alphas of a setting
  Table table;
  table.caption = "Loss at the end of the steps, and steps to a part of the first loss";
  table.columns = {"alpha", "last loss", "standard error", "formula",
                   "steps to " + fmt::format("{}", number(json, "part"))};
  for (const Json& row : json.at("rows")) {
    const std::string setting = row.at("setting");
    if (all.empty() || all.back().title != setting) {
      all.push_back({.title = setting,
                     .note = fmt::format("lr {}", number(row, "lr")),
                     .x = {.label = "step"},
                     .y = {.is_log = true}});
      table.groups.push_back({escaped(setting), {}});
      best = std::numeric_limits<double>::infinity();
    }
    const bool is_adaptive = row.at("alpha").is_null();
    const auto place = static_cast<int>(all.back().series.size());
    PlotSeries series{.name = is_adaptive ? "adaptive" : fmt::format("alpha {}", number(row, "alpha")),
                      .style = is_adaptive ? PlotStyle{0, 0} : PlotStyle{place + 1, place + 1},
                      .has_marks = false};
    const auto steps = row.at("steps").get<std::vector<double>>(), losses = row.at("loss").get<std::vector<double>>(),
               errors = row.at("standard_error").get<std::vector<double>>();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      PlotPoint point{steps[i], losses[i]};
      if (errors[i] > 0) point.low = losses[i] - errors[i], point.high = losses[i] + errors[i];
      series.points.push_back(point);
    }
    table.groups.back().rows.push_back(
        {series.name,
         {{significant_html(losses.back())},
          {errors.back() > 0 ? significant_html(errors.back(), 2) : ""},
          {row.at("theory").empty() ? "" : significant_html(row.at("theory").back().get<double>())},
          {row.at("steps_to_part").is_null() ? "not reached" : significant_html(number(row, "steps_to_part"), 6)}}});
    all.back().series.push_back(std::move(series));
    if (!is_adaptive)
      best = std::min(best, losses.back());
    else
      findings.push_back(fmt::format("{}: adaptive alpha ends at {:.3g} times the loss of the best fixed alpha.",
                                     escaped(setting), losses.back() / best));
  }
  return section_html(
      "Adaptive alpha",
      "Lookahead with k = 5: fixed values of alpha, and alpha chosen at every sync as the minimum of the "
      "batch’s loss on the line between slow and fast weights (two more evaluations a cycle). The loss is "
      "that of the slow weights; bands are one standard error.",
      plots_html(all) + table_html(table) + findings_html(findings));
}

}  // namespace tandem::examples
