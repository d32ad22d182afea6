// Tables of text; see comparison_text.h.
#include "comparison_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "compare_seeds.h"

namespace tandem::examples {
namespace {

using Row = std::vector<std::string>;

std::string cell(const std::vector<double>& values) {
  if (values.empty()) return "-";
  const MeanAndDeviation m = mean_and_deviation(values);
  return values.size() == 1 ? fmt::format("{:.4f}", m.mean) : fmt::format("{:.4f} +-{:.4f}", m.mean, m.deviation);
}

enum class LastColumn { kNumbers, kText };

/// One line a row, columns under each other: texts to the left, as the first is, and numbers to the right. A row of one
/// cell is a heading, which may reach over the columns.
std::string aligned(const std::vector<Row>& rows, LastColumn last = LastColumn::kNumbers) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i == widths.size()) widths.push_back(0);
      if (row.size() > 1) widths[i] = std::max(widths[i], row[i].size());
    }
  std::string text;
  for (const Row& row : rows) {
    text += row.size() == 1 ? row[0] : fmt::format("{:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < row.size(); ++i)
      text += last == LastColumn::kText && i + 1 == widths.size() ? "  " + row[i]
                                                                  : fmt::format("  {:>{}}", row[i], widths[i]);
    text += "\n";
  }
  return text;
}

Row difference_row(const Difference& difference, const std::string& name) {
  const PairedDifference& d = difference.paired;
  const bool is_known = d.seeds > 1;
  return {"  " + name,
          fmt::format("{:+.4f}", d.mean),
          is_known ? fmt::format("{:.4f}", d.standard_error) : "-",
          is_known ? fmt::format("{:.4f} to {:.4f}", d.low, d.high) : "-",
          std::to_string(d.seeds),
          difference.finding};
}

}  // namespace

std::string difference_table(const std::vector<RunResult>& results, const std::string& metric) {
  const std::vector<Difference> all = differences(results, metric);
  if (all.empty()) return {};
  const std::vector<Contender> contenders = contenders_of(results);
  std::vector<Row> rows = {{metric + ", by seed", "mean", "standard error", "95 % interval", "seeds", "what follows"}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i].baseline != all[i - 1].baseline)
      rows.push_back({"against " + contenders[all[i].baseline].name});
    rows.push_back(difference_row(all[i], contenders[all[i].contender].name));
  }
  return aligned(rows, LastColumn::kText) + differences_note(all) + "\n";
}

std::string equal_steps_table(const ComparisonRecord& record) {
  const std::vector<std::int64_t> steps = equal_steps(record);
  if (steps.empty()) return {};
  std::vector<std::vector<std::string>> rows = {{"at equal steps"}};
  for (const std::int64_t step : steps) rows[0].push_back(fmt::format("step {}", step));
  for (const std::string& metric : metrics_over_steps(record)) {
    rows.push_back({metric});
    for (const Contender& contender : contenders_of(record.results())) {
      rows.push_back({"  " + contender.name});
      for (const std::int64_t step : steps) rows.back().push_back(cell(values_at(record, contender, step, metric)));
    }
  }
  return aligned(rows);
}

}  // namespace tandem::examples
