// Figures of quadratic.json. Colours: one a state of the momentum (or an alpha), dashes: k.
#include "report_quadratic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/file.h>

#include "html.h"
#include "plot.h"
#include "progress.h"

namespace tandem::examples {
namespace {

using Json = nlohmann::ordered_json;

double number(const Json& row, const char* key) {
  return row.at(key).is_null() ? std::nan("") : row.at(key).get<double>();
}

std::string section(const std::string& title, const std::string& text, const std::string& rest) {
  return fmt::format("<h3>{}</h3>\n<p>{}</p>\n{}", title, text, rest);
}

std::string plots(const std::vector<Plot>& all) {
  std::string html = "<div class=\"plots\">\n";
  for (const Plot& plot : all) html += plot_html(plot);
  return html + "</div>\n";
}

Cell code_cell(const std::string& text) { return {"<code>" + escaped(text) + "</code>", false}; }

// 1. Steady-state variance ------------------------------------------------------------------------------------------

constexpr PlotStyle kSgdStyle{6, 0}, kLookaheadStyle{0, 5};

std::string variance_html(const Json& rows) {
  Plot values{.title = "E θ² in the long run",
              .note = "formula and measurement",
              .x = {.label = "setting"},
              .y = {.is_log = true}};
  Plot ratios{
      .title = "Measured / formula", .note = "bars: three standard errors", .x = {.label = "setting"}, .rule = 1};
  PlotSeries theory[2], measured[2], ratio[2];
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
  const PlotStyle styles[] = {kSgdStyle, kLookaheadStyle};
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
  return section("Steady-state variance",
                 "On L = a/2 (θ − c)² with c ~ N(0, 1) anew in every step. At the same lr Lookahead’s variance is "
                 "lower; that alone is no gain, since a smaller lr lowers SGD’s too.",
                 plots({values, ratios}) + table_html(table));
}

// 2. Convergence at equal final loss ---------------------------------------------------------------------------------

/// "SGD, lr 0.1553", "Lookahead, k 5, alpha 0.3, lr 0.6569".
std::string method_text(const Json& row) {
  const std::string lr = fmt::format("lr {:.4f}", number(row, "lr"));
  if (row.at("method") == "sgd") return "SGD, " + lr;
  return fmt::format("Lookahead, k {}, alpha {}, {}", row.at("k").get<int>(), number(row, "alpha"), lr);
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
  PlotSeries plain{.name = "SGD", .style = kSgdStyle, .has_marks = false},
      best{.name = "Lookahead, quickest alpha", .style = kLookaheadStyle, .has_marks = false},
      relative{.name = "quickest alpha", .style = kLookaheadStyle};
  for (const auto& [final, count] : sgd) plain.points.push_back({final, count});
  for (const auto& [final, count] : quickest) {
    best.points.push_back({final, count});
    if (sgd.count(final) != 0) relative.points.push_back({final, count / sgd[final]});
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
  table.columns = {"method", "final loss", "measured", "deviation", "steps", "measured"};
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
    measured[method].style = method == 0 ? kSgdStyle : kLookaheadStyle;
    measured[method].has_line = false;
    measured[method].is_open = true;
    steps.series.push_back(measured[method]);
  }
  return section(
      "Convergence at equal final loss",
      fmt::format("{} curvatures from 1 to {}. Every method has the lr with which it ends at the given loss; "
                  "the target is reached when {} of the way from the start is left. Lookahead’s steps "
                  "are whole cycles.",
                  json.at("curvatures").size(), significant_html(json.at("curvatures").back().get<double>()),
                  significant_html(number(json, "left"))),
      plots({steps, ratio}) + table_html(table));
}

// 3. Rates of the heavy ball -----------------------------------------------------------------------------------------

/// "heavy ball alone", "maintain, k = 5".
std::string method_name(const Json& row) {
  if (row.at("state") == "none") return "heavy ball alone";
  return fmt::format("{}, k = {}", row.at("state").get<std::string>(), row.at("k").get<int>());
}

PlotStyle method_style(const Json& row) {
  const std::string state = row.at("state");
  const int dash = row.at("k").get<int>() == 20 ? 1 : 0;
  return state == "none"          ? kSgdStyle
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
    for (auto* series : {&theory[name], &measured[name], &relative[name]}) {
      series->style = method_style(row);
    }
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
  return plots({plot}) + table_html(table);
}

std::string rates_html(const Json& json) {
  const auto condition =
      rate_plots(json.at("by_condition"), "condition number", [](const Json& row) { return number(row, "condition"); });
  const auto momentum = rate_plots(json.at("by_momentum"), "1 / (1 − momentum)",
                                   [](const Json& row) { return 1 / (1 - number(row, "momentum")); });
  return section(
             "Rate of the heavy ball",
             "Without noise, worst over curvatures from 1 / condition to 1, each method with its best lr. At a sync "
             "Lookahead (alpha 0.5) maintains, interpolates or resets the momentum. Against the condition number "
             "momentum is 0.99:",
             plots(condition)) +
         "<p>Against momentum, with condition 100:</p>\n" + plots(momentum) +
         "<p>With an lr of 1 instead of the best one:</p>\n" + lr_one_html(json.at("at_lr_one"));
}

// 4. Adaptive alpha --------------------------------------------------------------------------------------------------

std::string adaptive_html(const Json& json) {
  std::vector<Plot> all;
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
  }
  return section("Adaptive alpha",
                 "Lookahead with k = 5: fixed values of alpha, and alpha chosen at every sync as the minimum of the "
                 "batch’s loss on the line between slow and fast weights (two more evaluations a cycle). The loss is "
                 "that of the slow weights; bands are one standard error.",
                 plots(all) + table_html(table));
}

}  // namespace

std::string quadratic_html(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "quadratic.json";
  try {
    const Json json = Json::parse(read_file(path));
    return "<p class=\"lead\">The two quadratics of the Lookahead paper, on which every moment can be computed: what "
           "Tandem’s optimizers do, held against the formulas.</p>\n" +
           variance_html(json.at("variance")) + convergence_html(json.at("convergence")) +
           rates_html(json.at("rates")) + adaptive_html(json.at("adaptive")) + "<h3>Configuration</h3>\n" +
           list_html({{"seed", fmt::format("{}", json.at("seed").get<std::uint64_t>())},
                      {"copies", with_commas(json.at("copies").get<std::int64_t>())},
                      {"machine", fmt::format("{}, {} thread{}", escaped(json.at("machine").get<std::string>()),
                                              json.at("threads").get<int>(), json.at("threads") == 1 ? "" : "s")},
                      {"software", escaped(json.at("software").get<std::string>())},
                      {"time", format_duration(json.at("seconds"))}}) +
           fmt::format("<h3>To repeat it</h3>\n<pre><code>{}</code></pre>\n",
                       escaped(json.at("command").get<std::string>()));
  } catch (const Json::exception& error) {
    fail(path.string(), "not what quadratic finds", error.what());
  }
}

}  // namespace tandem::examples
