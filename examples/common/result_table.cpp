// The table of results; see result_table.h.
#include "result_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "comparison_record.h"
#include "progress.h"

namespace tandem::examples {
namespace {

constexpr std::size_t kFirstColumn = 20;

struct Column {
  std::string title;
  std::vector<double> values;  // of the block's runs
};

std::string cell(const Column& column, double value) {
  return fmt::format("  {:>{}.4f}", value, std::max<std::size_t>(column.title.size(), 7));
}

std::vector<Column> columns_of(const std::vector<const RunResult*>& block, const std::string& metric) {
  std::vector<Column> columns;
  for (const auto& [name, ignored] : block.front()->final_metrics) {
    columns.push_back({name, {}});
    for (const RunResult* result : block) columns.back().values.push_back(value_of(result->final_metrics, name));
  }
  columns.push_back({"best", {}});
  for (const RunResult* result : block) columns.back().values.push_back(value_of(result->best_metrics, metric));
  return columns;
}

std::string block_text(const std::vector<const RunResult*>& block, const std::string& metric) {
  const std::vector<Column> columns = columns_of(block, metric);
  std::string text = block.front()->run.optimizer + "\n";
  for (std::size_t i = 0; i < block.size(); ++i) {
    text += fmt::format("{:<{}}", fmt::format("  seed {}", block[i]->run.seed), kFirstColumn);
    for (const Column& column : columns) text += cell(column, column.values[i]);
    text += fmt::format("  {:>10}  {:>7}\n", with_commas(std::llround(block[i]->examples_per_second)),
                        format_duration(block[i]->seconds));
  }
  if (block.size() < 2) return text;
  std::string means = fmt::format("{:<{}}", "  mean", kFirstColumn), deviations;
  deviations = fmt::format("{:<{}}", "  standard deviation", kFirstColumn);
  for (const Column& column : columns) {
    const MeanAndDeviation over_seeds = mean_and_deviation(column.values);
    means += cell(column, over_seeds.mean);
    deviations += cell(column, over_seeds.deviation);
  }
  return text + means + "\n" + deviations + "\n";
}

}  // namespace

std::string result_table(const std::vector<RunResult>& results, const std::string& metric) {
  if (results.empty()) return {};
  std::vector<std::vector<const RunResult*>> blocks;
  for (const Contender& contender : contenders_of(results)) {
    blocks.emplace_back();
    for (const std::size_t i : contender.runs) blocks.back().push_back(&results[i]);
  }
  std::string text = std::string(kFirstColumn, ' ');
  for (const Column& column : columns_of(blocks.front(), metric))
    text += fmt::format("  {:>{}}", column.title, std::max<std::size_t>(column.title.size(), 7));
  text += fmt::format("  {:>10}  {:>7}\n", "examples/s", "time");
  for (const auto& block : blocks) text += block_text(block, metric);
  return text;
}

}  // namespace tandem::examples
