// Rows of slopes and ratios, and the tables made of them.
#include <fmt/format.h>

#include <cmath>

#include "tables.h"

namespace tandem::stability {
namespace {

constexpr const char* kMethods[] = {"sgd", "sgd at alpha lr", "lookahead"};

struct Range {
  Axis axis;
  double least, most;
};
/// Where the reconstruction speaks of a power.
constexpr Range kRanges[] = {{Axis::batch, 1, 4},   {Axis::batch, 8, 32}, {Axis::n, 25, 400},
                             {Axis::alpha, 0.1, 1}, {Axis::steps, 5, 40}, {Axis::steps, 320, 1280}};

double theory_slope(const std::vector<Cell>& cells, const std::string& problem, const Range& range,
                    const std::string& method) {
  for (const Curve& curve : curves(cells, problem, range.axis, Quantity::distance2)) {
    if (curve.method != method) continue;
    const std::vector<double> values = theory(cells, find_problem(problem), range.axis, curve);
    std::size_t first = values.size(), last = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (curve.at[i] < range.least || curve.at[i] > range.most) continue;
      first = std::min(first, i), last = std::max(last, i);
    }
    if (first < last) return std::log(values[last] / values[first]) / std::log(curve.at[last] / curve.at[first]);
  }
  return std::nan("");
}

report::Cell interval_cell(const Interval& i, int digits) {
  return {fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", i.mean, digits, i.low, digits, i.high, digits), i.mean};
}

}  // namespace

std::vector<SlopeRow> slope_rows(const std::vector<Cell>& cells, const Settings& s) {
  std::vector<SlopeRow> rows;
  for (const std::string& problem : s.problems)
    for (const Range& range : kRanges)
      for (const char* method : kMethods)
        if (const auto found = slope(cells, problem, range.axis, method, range.least, range.most))
          rows.push_back({problem, range.axis, method, range.least, range.most, *found,
                          theory_slope(cells, problem, range, method)});
  return rows;
}

std::vector<RatioRow> ratio_rows(const std::vector<Cell>& cells, const Settings& s) {
  std::vector<RatioRow> rows;
  for (const std::string& problem : s.problems)
    for (const char* against : {"sgd", "sgd at alpha lr"})
      for (const Quantity quantity : {Quantity::distance2, Quantity::test})
        if (const auto found = ratio(cells, problem, Axis::batch, s.batch, "lookahead", against, quantity))
          rows.push_back({problem, against, quantity, *found});
  return rows;
}

report::Table slope_table(const std::vector<SlopeRow>& rows) {
  report::Table table{
      "Slopes of log distance² (95 % over repetitions)",
      {{"along", true}, {"method", true}, {"measured"}, {"reconstruction"}},
      {},
      "The reconstruction is ours, from the abstract of Li and Lei (2025) and from Lei and Ying (2020): a "
      "bound may fall otherwise than what it bounds."};
  for (const SlopeRow& row : rows)
    table.rows.push_back({{fmt::format("{} {:g} to {:g}", name(row.axis), row.least, row.most)},
                          {row.method},
                          interval_cell(row.measured, 2),
                          {std::isnan(row.theory) ? "" : fmt::format("{:.2f}", row.theory), row.theory}});
  return table;
}

report::Table ratio_table(const std::vector<RatioRow>& rows) {
  report::Table table{"Lookahead over SGD in the same repetitions",
                      {{"against", true}, {"quantity", true}, {"ratio"}, {"what follows", true}},
                      {},
                      ""};
  for (const RatioRow& row : rows) {
    const char* const follows = row.ratio.high < 1 ? "smaller" : row.ratio.low > 1 ? "larger" : "nothing: holds 1";
    table.rows.push_back({{row.against}, {name(row.quantity)}, interval_cell(row.ratio, 3), {follows}});
  }
  return table;
}

report::Table base_table(const std::vector<Cell>& cells, const std::string& problem, const Settings& s) {
  report::Table table{fmt::format("{} at n = {}, b = {}, k = {}, alpha = {}, {} steps", find_problem(problem).title,
                                  s.n, s.batch, s.k, s.alpha, s.steps),
                      {{"method", true}, {"distance²"}, {"generalization gap"}, {"test risk"}},
                      {},
                      "Means with 95 % intervals over repetitions."};
  for (const char* method : kMethods) {
    std::vector<report::Cell> row = {{method}};
    for (const Quantity quantity : {Quantity::distance2, Quantity::gap, Quantity::test})
      for (const Curve& curve : curves(cells, problem, Axis::batch, quantity))
        for (std::size_t i = 0; i < curve.at.size(); ++i)
          if (curve.method == method && curve.at[i] == s.batch) row.push_back(interval_cell(curve.values[i], 5));
    if (row.size() == 4) table.rows.push_back(std::move(row));
  }
  return table;
}

std::string tables_text(const std::vector<Cell>& cells, const Settings& s) {
  std::string text;
  for (const std::string& problem : s.problems) {
    Settings one = s;
    one.problems = {problem};
    for (const report::Table& table :
         {base_table(cells, problem, s), ratio_table(ratio_rows(cells, one)), slope_table(slope_rows(cells, one))})
      text += fmt::format("\n{}", report::table_text(table));
  }
  return text;
}

}  // namespace tandem::stability
