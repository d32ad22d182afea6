// Sections with noise: steady-state variance, and convergence at equal final loss.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "page_parts.h"

namespace tandem::quadratic {
namespace {

bool is_alone(const Method& m) { return m.k == 1 && m.alpha == 1; }

/// "SGD, lr 0.1553", "Lookahead, k 5, alpha 0.3, lr 0.6569".
std::string method_text(const Method& m) {
  const std::string lr = fmt::format("lr {:.4f}", m.lr);
  return is_alone(m) ? "SGD, " + lr : fmt::format("Lookahead, k {}, alpha {}, {}", m.k, m.alpha, lr);
}

Curve constant(const Curve& like, double value) {
  Curve line;
  for (const double x : like.x) line.add(x, value);
  return line;
}

}  // namespace

Json variance_section(const std::vector<VarianceRow>& rows) {
  Json section =
      section_of("Steady-state variance",
                 "E θ² in the long run on L = a/2 (θ − c)² with c ~ N(0, 1) anew in every step.", {"SGD", "Lookahead"});
  Curve theory[2], measured[2];
  Json deviations = {{"kind", "points"},
                     {"title", "Measured, against the formula"},
                     {"x", {{"label", "measured / formula − 1; bars are three standard errors"}}},
                     {"rows", Json::array()}};
  report::Table table{
      "Steady-state variance",
      {{"setting", true}, {"curvature"}, {"rule", true}, {"formula"}, {"measured"}, {"standard error"}, {"deviation"}},
      {},
      "The deviation is (measured − formula) / standard error."};
  double least = std::numeric_limits<double>::infinity(), most = 0, sgd = 1;  // Lookahead's variance / SGD's
  std::size_t inside = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const VarianceRow& row = rows[i];
    const std::size_t method = is_alone(row.method) ? 0 : 1;
    const std::string setting = fmt::format("{}", i / 2 + 1);  // SGD and Lookahead in turn
    const double at = static_cast<double>(i / 2 + 1) + (method == 0 ? -0.1 : 0.1), mean = row.measured.mean,
                 error = row.measured.standard_error;
    theory[method].add(at - 0.04, row.theory);
    measured[method].add(at + 0.04, mean, 3 * error);
    deviations["rows"].push_back(point_row(fmt::format("{}: {}, a {}, {}", setting, method == 0 ? "SGD" : "Lookahead",
                                                       row.quadratic.curvature, fmt::format("lr {}", row.method.lr)),
                                           method, mean / row.theory - 1, 3 * error / row.theory,
                                           fmt::format("{:.2f} standard errors", row.deviation())));
    if (method == 0)
      sgd = mean;
    else
      least = std::min(least, mean / sgd), most = std::max(most, mean / sgd);
    inside += std::abs(row.deviation()) <= 3 ? 1U : 0U;
    table.rows.push_back({{setting},
                          digits_cell(row.quadratic.curvature),
                          {rule_of(row.method).describe()},
                          digits_cell(row.theory, 5),
                          digits_cell(mean, 5),
                          digits_cell(error, 2),
                          digits_cell(row.deviation(), 2)});
  }
  Json values = lines_of("E θ² in the long run", {"setting (see the table)"}, {"E θ²", true});
  const char* const names[] = {"SGD", "Lookahead"};
  for (const std::size_t method : {0U, 1U}) {
    add_series(values, fmt::format("{}, formula", names[method]), method, "points contrast", theory[method]);
    add_series(values, fmt::format("{}, measured", names[method]), method, "points bars", measured[method]);
  }
  section["tables"].push_back(report::to_json(table));
  section["figures"] = Json::array({group_of(
      "Steady-state variance", "Dots in ink: the formula; beside them what was measured.", {values, deviations})});
  section["notes"] = Json::array(
      {fmt::format("{} of {} measurements lie within three standard errors of the formula.", inside, rows.size()),
       fmt::format(
           "At the same lr Lookahead’s measured variance is {:.2f} to {:.2f} of SGD’s. That alone is no gain: a "
           "smaller lr lowers SGD’s too.",
           least, most)});
  return section;
}

Json convergence_section(const Convergence& c) {
  constexpr double kAlphas[] = {0.2, 0.5, 0.8};
  std::vector<std::string> groups = {"SGD", "Lookahead, quickest alpha"};
  for (const double alpha : kAlphas) groups.push_back(fmt::format("Lookahead, alpha {}", alpha));
  Json section =
      section_of("Convergence at equal final loss",
                 fmt::format("{} curvatures from 1 to {:.4g}. Every method has the lr with which it ends at the given "
                             "loss; the target is reached when {:.4g} of the way from the start is left. Lookahead’s "
                             "steps are whole cycles of {}.",
                             c.spectrum.curvatures.size(), c.spectrum.curvatures.back(), c.left, c.k),
                 groups);
  std::map<double, double> sgd, quickest;
  Curve plain, best, relative, measured[2], fixed[std::size(kAlphas)];
  for (const SweepPoint& point : c.sweep) {
    if (is_alone(point.method)) {
      sgd[point.final] = point.steps;
      continue;
    }
    const auto fewest = quickest.emplace(point.final, point.steps).first;
    fewest->second = std::min<double>(fewest->second, point.steps);
    for (std::size_t i = 0; i < std::size(kAlphas); ++i)
      if (point.method.alpha == kAlphas[i]) fixed[i].add(point.final, point.steps);
  }
  int fewer = 0, more = 0, equal = 0;
  for (const auto& [final, count] : sgd) plain.add(final, count);
  for (const auto& [final, count] : quickest) {
    best.add(final, count);
    if (sgd.count(final) == 0) continue;
    relative.add(final, count / sgd[final]);
    ++(count < sgd[final] ? fewer : count > sgd[final] ? more : equal);
  }
  report::Table table{
      "Measured",
      {{"method", true}, {"final loss, formula"}, {"measured"}, {"deviation"}, {"steps, formula"}, {"steps, measured"}},
      {},
      "Deviations are in standard errors."};
  for (const ConvergenceRow& row : c.measured) {
    const Estimate& end = row.measured.long_run;
    measured[is_alone(row.point.method) ? 0 : 1].add(row.point.final, row.measured.steps);
    table.rows.push_back({{method_text(row.point.method)},
                          digits_cell(row.point.final),
                          digits_cell(end.mean, 5),
                          digits_cell(end.deviation(row.point.final), 2),
                          digits_cell(row.point.steps, 6),
                          digits_cell(row.measured.steps, 6)});
  }
  Json steps = lines_of("Steps to the target", {"final loss", true}, {"steps", true});
  add_series(steps, groups[0], 0, "line", plain);
  add_series(steps, groups[1], 1, "line", best);
  for (std::size_t i = 0; i < std::size(kAlphas); ++i) add_series(steps, groups[i + 2], i + 2, "line", fixed[i]);
  add_series(steps, groups[0] + ", measured", 0, "points contrast", measured[0]);
  add_series(steps, groups[1] + ", measured", 1, "points contrast", measured[1]);
  Json ratio = lines_of("Lookahead’s steps / SGD’s", {"final loss", true}, {"ratio"});
  add_series(ratio, "as many", 0, "thin", constant(relative, 1));
  add_series(ratio, groups[1], 1, "line points", relative);
  section["tables"].push_back(report::to_json(table));
  section["figures"] = Json::array(
      {group_of("Steps at equal final loss", "Lines: by formula; dots in ink: measured. Below 1 Lookahead is quicker.",
                {steps, ratio})});
  section["notes"] = Json::array(
      {fmt::format("By formula Lookahead with its quickest alpha needs fewer steps than SGD at {} of {} final losses, "
                   "as many at {}, "
                   "more at {}.",
                   fewer, fewer + equal + more, equal, more)});
  return section;
}

}  // namespace tandem::quadratic
