// Sections about speed: rates of the heavy ball under Lookahead, and adaptive alpha.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "page_parts.h"

namespace tandem::quadratic {
namespace {

bool is_alone(const HeavyBall& h) { return h.k == 1 && h.alpha == 1; }

/// "heavy ball alone", "maintain, k = 5".
std::string name_of(const HeavyBall& h) {
  return is_alone(h) ? "heavy ball alone" : fmt::format("{}, k = {}", to_string(h.state), h.k);
}

/// Methods in the order in which they appear: the groups of the section.
std::vector<std::string> names_of(const std::vector<RateRow>& rows) {
  std::vector<std::string> names;
  for (const RateRow& row : rows)
    if (std::find(names.begin(), names.end(), name_of(row.method)) == names.end()) names.push_back(name_of(row.method));
  return names;
}

/// Rates over x(row): as they are, and relative to the heavy ball alone; and how many are faster than that one, in
/// words. The grid of lr does not tell rates apart that differ by less than 1 %.
template <class X>
Json rate_figures(const std::vector<RateRow>& rows, const std::vector<std::string>& groups, const std::string& against,
                  const std::string& label, X x, std::string& finding) {
  std::map<std::string, Curve> theory, measured, relative;
  std::map<double, double> alone;
  int faster = 0, slower = 0, near = 0;
  Curve one;
  for (const RateRow& row : rows) {
    const std::string name = name_of(row.method);
    const double at = x(row);
    theory[name].add(at, row.theory);
    if (row.measured) measured[name].add(at, *row.measured);
    if (is_alone(row.method)) {
      alone[at] = row.theory;
      one.add(at, 1);
      continue;
    }
    const double ratio = row.theory / alone[at];
    relative[name].add(at, ratio);
    ++(ratio > 1.01 ? faster : ratio < 0.99 ? slower : near);
  }
  Json rates = lines_of("Rate", {label, true}, {"1 − contraction per step", true});
  Json ratios = lines_of("Rate / rate of the heavy ball alone", {label, true}, {"ratio", true});
  add_series(ratios, groups.front(), 0, "thin", one);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    add_series(rates, groups[i], i, "line", theory[groups[i]]);
    add_series(rates, groups[i] + ", measured", i, "points contrast", measured[groups[i]]);
    add_series(ratios, groups[i], i, "line", relative[groups[i]]);
  }
  finding =
      fmt::format("Against {}: of {} Lookaheads {} are faster than the heavy ball alone, {} slower, {} within 1 %.",
                  against, faster + slower + near, faster, slower, near);
  return group_of("Rates against " + against, "Lines: by formula; dots in ink: measured. Below 1 Lookahead loses.",
                  {rates, ratios});
}

}  // namespace

Json rates_section(const Rates& rates) {
  const std::vector<std::string> groups = names_of(rates.by_condition);
  Json section = section_of(
      "Rate of the heavy ball",
      "Without noise, worst over curvatures from 1 / condition to 1, each method with its best lr. At a sync Lookahead "
      "(alpha 0.5) maintains, interpolates or resets the momentum. Against the condition number momentum is 0.99, "
      "against "
      "momentum the condition is 100.",
      groups);
  std::string by_condition, by_momentum;
  section["figures"] =
      Json::array({rate_figures(
                       rates.by_condition, groups, "the condition number", "condition number",
                       [](const RateRow& row) { return row.condition; }, by_condition),
                   rate_figures(
                       rates.by_momentum, groups, "momentum", "1 / (1 − momentum)",
                       [](const RateRow& row) { return 1 / (1 - row.method.momentum); }, by_momentum)});
  section["notes"] = Json::array({by_condition, by_momentum});

  report::Table table{"Rates with lr 1 instead of the best one, condition 1,000, momentum 0.99",
                      {{"method", true}, {"formula"}, {"measured"}, {"", true}},
                      {},
                      ""};
  Json points = {{"kind", "points"},
                 {"title", "Rates with lr 1, condition 1,000, momentum 0.99"},
                 {"x", {{"label", "measured rate; below 0 it diverges"}}},
                 {"rows", Json::array()}};
  for (const RateRow& row : rates.at_lr_one) {
    const double rate = row.measured.value_or(std::nan(""));
    const std::string name = name_of(row.method), end = rate < 0 ? "diverges" : "converges";
    const auto group = static_cast<std::size_t>(std::find(groups.begin(), groups.end(), name) - groups.begin());
    points["rows"].push_back(
        point_row(name, group, rate, std::nan(""), fmt::format("{}; by formula {:.4g}", end, row.theory)));
    table.rows.push_back({{name}, digits_cell(row.theory), digits_cell(rate), {end}});
  }
  section["figures"].push_back(points);
  section["tables"].push_back(report::to_json(table));
  return section;
}

Json adaptive_section(const std::vector<AdaptiveRow>& rows) {
  std::vector<std::string> groups;
  const auto name = [](const AdaptiveRow& row) { return row.alpha ? fmt::format("alpha {}", *row.alpha) : "adaptive"; };
  for (const AdaptiveRow& row : rows)
    if (std::find(groups.begin(), groups.end(), name(row)) == groups.end()) groups.push_back(name(row));
  Json section = section_of(
      "Adaptive alpha",
      "Lookahead with k = 5: fixed values of alpha, and alpha chosen at every sync as the minimum of the batch’s loss "
      "on "
      "the line between slow and fast weights (two more evaluations a cycle). The loss is that of the slow weights.",
      groups);
  report::Table table{
      "Loss at the end of the steps, and steps to a part of the first loss",
      {{"alpha", true}, {"last loss"}, {"standard error"}, {"formula"}, {fmt::format("steps to {}", kAdaptivePart)}},
      {},
      ""};
  std::vector<Json> figures;
  double best = 0;  // last loss of the fixed alphas of a setting
  std::string setting;
  for (const AdaptiveRow& row : rows) {
    if (row.setting.name != setting) {
      setting = row.setting.name;
      figures.push_back(lines_of(fmt::format("{}, lr {}", setting, row.setting.lr), {"step"}, {"loss", true}));
      table.rows.push_back({{setting}});
      best = std::numeric_limits<double>::infinity();
    }
    Curve curve;
    for (std::size_t i = 0; i < row.steps.size(); ++i)
      if (row.losses[i].standard_error > 0)
        curve.add(row.steps[i], row.losses[i].mean, row.losses[i].standard_error);
      else
        curve.add(row.steps[i], row.losses[i].mean);
    if (curve.low.size() != curve.x.size()) curve.low.clear(), curve.high.clear();
    const auto group = static_cast<std::size_t>(std::find(groups.begin(), groups.end(), name(row)) - groups.begin());
    add_series(figures.back(), name(row), group, "line", curve);
    const Estimate& last = row.losses.back();
    const std::optional<int> reached = row.steps_to(kAdaptivePart);
    table.rows.push_back({{name(row)},
                          digits_cell(last.mean),
                          last.standard_error > 0 ? digits_cell(last.standard_error, 2) : report::Cell{""},
                          row.theory.empty() ? report::Cell{""} : digits_cell(row.theory.back()),
                          reached ? digits_cell(*reached, 6) : report::Cell{"not reached"}});
    if (row.alpha)
      best = std::min(best, last.mean);
    else
      section["notes"].push_back(fmt::format(
          "{}: adaptive alpha ends at {:.3g} times the loss of the best fixed alpha.", setting, last.mean / best));
  }
  section["tables"].push_back(report::to_json(table));
  section["figures"] =
      Json::array({group_of("Loss over the steps", "Bands are one standard error, where there is noise.", figures)});
  return section;
}

}  // namespace tandem::quadratic
