// See instrument_tables.h.
#include "instrument_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "metrics.h"

namespace tandem::report {
namespace {

constexpr std::size_t kMostRuns = 6, kMostRows = 12, kMostParameters = 20;

/// The columns of the first run's table, "step" left out.
std::vector<Table::Column> columns_of(const CsvTable& table, const char* head) {
  std::vector<Table::Column> columns = {{head, true}};
  for (const std::string& name : table.columns)
    if (name != "step") columns.push_back({name, false});
  return columns;
}

Cell whole_cell(double step) { return {fmt::format("{:.0f}", step), step}; }

/// A row of a table by the names of the first one's columns.
std::vector<Cell> row_of(const std::string& head, const CsvTable& table, std::size_t row, const CsvTable& first) {
  std::vector<Cell> cells = {{head}};
  for (const std::string& name : first.columns) {
    if (name == "step") continue;
    const std::vector<double>* values = table.column(name);
    cells.push_back(number_cell(values == nullptr ? std::nan("") : (*values)[row]));
  }
  return cells;
}

}  // namespace

std::vector<MeasuredRun> measured_runs(const Comparison& comparison) {
  std::vector<MeasuredRun> shown;
  const auto fits = [&](const RunRecord& run) {
    if (run.instruments.rows() == 0) return false;
    if (shown.empty()) return true;
    const InstrumentDetails &a = run.instrument_details, &b = shown[0].run->instrument_details;
    return a.parameters == b.parameters && a.bins == b.bins;
  };
  for (const Contender& contender : comparison.contenders) {
    const auto found = std::find_if(contender.runs.begin(), contender.runs.end(),
                                    [&](std::size_t i) { return fits(comparison.runs[i]); });
    if (found == contender.runs.end() || shown.size() == kMostRuns) continue;
    const RunRecord& run = comparison.runs[*found];
    shown.push_back({fmt::format("{}, seed {}", contender.name, run.seed), &run});
  }
  return shown;
}

Table last_instruments_table(const std::vector<MeasuredRun>& runs) {
  Table table{"Instruments at the last measurement", columns_of(runs[0].run->instruments, "run"), {}, {}};
  table.columns.insert(table.columns.begin() + 1, {"step", false});
  for (const MeasuredRun& shown : runs) {
    const CsvTable& values = shown.run->instruments;
    table.rows.push_back(row_of(shown.name, values, values.rows() - 1, runs[0].run->instruments));
    table.rows.back().insert(table.rows.back().begin() + 1, whole_cell(values.values[0].back()));
  }
  return table;
}

Table instruments_by_step_table(const std::vector<MeasuredRun>& runs) {
  Table table{"Instruments by step", columns_of(runs[0].run->instruments, "step"), {}, {}};
  for (const MeasuredRun& shown : runs) {
    const CsvTable& values = shown.run->instruments;
    const std::size_t rows = std::min(values.rows(), kMostRows);
    table.rows.push_back({{shown.name}});
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t row = rows == 1 ? 0 : i * (values.rows() - 1) / (rows - 1);
      table.rows.push_back(row_of(fmt::format("{:.0f}", values.values[0][row]), values, row, runs[0].run->instruments));
    }
  }
  return table;
}

Table instruments_by_parameter_table(const std::vector<MeasuredRun>& runs) {
  const InstrumentDetails& first = runs[0].run->instrument_details;
  if (first.parameters.empty()) return {};
  Table table{"Parameters at the last measurement", columns_of(first.by_parameter[0], "parameter"), {}, {}};
  if (first.parameters.size() > kMostParameters)
    table.note =
        fmt::format("Of {} parameters the {} with the largest gradients.", first.parameters.size(), kMostParameters);
  for (const MeasuredRun& shown : runs) {
    const std::vector<CsvTable>& all = shown.run->instrument_details.by_parameter;
    const auto size_of_gradient = [&](std::size_t p) {
      const std::vector<double>* norm = all[p].column("gradient_norm");
      return norm == nullptr || std::isnan(norm->back()) ? -1 : norm->back();
    };
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (order.size() > kMostParameters) {
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t a, std::size_t b) { return size_of_gradient(a) > size_of_gradient(b); });
      order.resize(kMostParameters);
      std::sort(order.begin(), order.end());
    }
    table.rows.push_back({{shown.name}});
    for (const std::size_t p : order)
      table.rows.push_back(row_of(first.parameters[p], all[p], all[p].rows() - 1, first.by_parameter[0]));
  }
  return table;
}

}  // namespace tandem::report
