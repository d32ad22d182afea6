// Tables of a comparison; see tables.h.
#include "tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tandem::report {
namespace {

constexpr std::size_t kMostPairwise = 6;

/// "0.9125 ± 0.0031"; the mean alone where there is one value.
Cell mean_cell(const std::vector<double>& values) {
  const MeanAndDeviation m = mean_and_deviation(values);
  Cell cell = number_cell(m.mean);
  // Of values that are all infinite there is no mean, but it can be said what they are.
  if (m.count == 0 && !values.empty() && std::isinf(values.front())) cell = number_cell(values.front());
  if (m.count > 1) cell.text += fmt::format(" ± {}", shown(m.deviation));
  return cell;
}

std::string seeds_text(std::size_t count) { return fmt::format("{} seed{}", count, count == 1 ? "" : "s"); }

/// "diverged at step 17 to 40 (2 of 3 seeds)" of those runs; empty when there are none.
std::string end_text(const std::string& what, std::vector<std::int64_t> steps, std::size_t all) {
  if (steps.empty()) return {};
  std::sort(steps.begin(), steps.end());
  std::string text = fmt::format("{} at step {}", what, steps.front());
  if (steps.back() != steps.front()) text += fmt::format(" to {}", steps.back());
  return all == 1 ? text : fmt::format("{} ({} of {} seeds)", text, steps.size(), all);
}

std::vector<Cell> difference_row(const Difference& difference, const Comparison& comparison) {
  const PairedDifference& d = difference.paired;
  const auto with_sign = [](double value) { return (value > 0 ? "+" : "") + shown(value); };
  const bool has_interval = d.seeds > 1;
  return {{comparison.contenders[difference.contender].name},
          {with_sign(d.mean), d.mean},
          has_interval ? Cell{shown(d.standard_error), d.standard_error} : Cell{"-"},
          {has_interval ? with_sign(d.low) + " to " + with_sign(d.high) : "-"},
          {std::to_string(d.seeds), static_cast<double>(d.seeds)},
          {difference.finding}};
}

/// Places of contenders of the same rule, in their order: the rates of one sweep, say.
std::vector<std::vector<std::size_t>> by_rule(const Comparison& comparison) {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> rules;
  for (std::size_t i = 0; i < comparison.contenders.size(); ++i) {
    std::string rule;
    for (const auto& [name, value] : comparison.contenders[i].arguments)
      if (name == "rule") rule = value;
    auto found = std::find_if(rules.begin(), rules.end(), [&](const auto& r) { return r.first == rule; });
    if (found == rules.end()) found = rules.insert(rules.end(), {rule, {}});
    found->second.push_back(i);
  }
  std::vector<std::vector<std::size_t>> places;
  for (auto& [rule, of_rule] : rules) places.push_back(std::move(of_rule));
  return places;
}

/// Which pairs are compared, baseline first: all, or of many contenders those at the same place of sweeps of equal
/// length.
std::vector<std::pair<std::size_t, std::size_t>> compared_pairs(const Comparison& comparison) {
  const std::size_t count = comparison.contenders.size();
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  if (count <= kMostPairwise) {
    for (std::size_t baseline = 0; baseline < count; ++baseline)
      for (std::size_t other = baseline + 1; other < count; ++other) pairs.emplace_back(baseline, other);
    return pairs;
  }
  const auto rules = by_rule(comparison);
  for (std::size_t a = 0; a < rules.size(); ++a)
    for (std::size_t place = 0; place < rules[a].size(); ++place)
      for (std::size_t b = a + 1; b < rules.size(); ++b)
        if (rules[a].size() == rules[b].size()) pairs.emplace_back(rules[a][place], rules[b][place]);
  if (pairs.empty())
    for (std::size_t other = 1; other < count; ++other) pairs.emplace_back(0, other);
  return pairs;
}

}  // namespace

std::vector<double> values_of(const BySeed& by_seed) {
  std::vector<double> values;
  for (const auto& [seed, value] : by_seed) values.push_back(value);
  return values;
}

std::string ends_text(const Comparison& comparison, const Contender& contender) {
  std::vector<std::int64_t> diverged, interrupted, stopped;
  for (const std::size_t i : contender.runs) {
    const RunRecord& run = comparison.runs[i];
    if (run.is_diverged()) diverged.push_back(run.step);
    if (run.status == RunStatus::interrupted) interrupted.push_back(run.step);
    if (run.status == RunStatus::stopped) stopped.push_back(run.step);
  }
  std::string text;
  for (const std::string& part : {end_text("diverged", diverged, contender.runs.size()),
                                  end_text("interrupted", interrupted, contender.runs.size()),
                                  end_text("stopped", stopped, contender.runs.size())})
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  return text.empty() ? seeds_text(contender.runs.size()) : text;
}

Table results_table(const Comparison& comparison) {
  Table table{"Results", {{"optimizer", true}}, {}, {}};
  const std::vector<std::string> metrics = comparison.metrics();
  for (const std::string& metric : metrics) table.columns.push_back({metric});
  table.columns.push_back({"best " + comparison.metric()});
  table.columns.push_back({"examples/s"});
  table.columns.push_back({"runs", true});
  std::size_t left_out = 0;
  for (const Contender& contender : comparison.contenders) {
    std::vector<Cell> row = {{contender.name}};
    for (const std::string& metric : metrics)
      row.push_back(mean_cell(values_of(comparison.final_values(contender, metric))));
    row.push_back(mean_cell(values_of(comparison.best_values(contender, comparison.metric()))));
    double speed = 0;
    for (const std::size_t i : contender.runs) {
      speed += comparison.runs[i].examples_per_second / static_cast<double>(contender.runs.size());
      left_out += comparison.runs[i].is_complete() ? 0 : 1;
    }
    row.push_back(std::isfinite(speed) && std::abs(speed) < 1e15 ? Cell{with_commas(std::llround(speed)), speed}
                                                                 : Cell{"-"});
    row.push_back({ends_text(comparison, contender)});
    table.rows.push_back(std::move(row));
  }
  if (comparison.seeds().size() > 1) table.note = "Mean ± standard deviation over seeds.";
  if (left_out > 0)
    table.note +=
        fmt::format("{}{} that diverged or {} interrupted {} no final value and {} in no mean.",
                    table.note.empty() ? "" : " ", left_out == 1 ? "The run" : fmt::format("{} runs", left_out),
                    left_out == 1 ? "was" : "were", left_out == 1 ? "has" : "have", left_out == 1 ? "is" : "are");
  return table;
}

std::vector<Difference> differences(const Comparison& comparison, const std::string& metric) {
  std::vector<BySeed> values;
  for (const Contender& contender : comparison.contenders) values.push_back(comparison.final_values(contender, metric));
  std::vector<Difference> all;
  for (const auto& [baseline, contender] : compared_pairs(comparison)) {
    const PairedDifference paired = paired_difference(values[contender], values[baseline]);
    if (paired.seeds + paired.left_out == 0) continue;
    all.push_back({contender, baseline, paired, finding(paired, is_larger_better(metric))});
  }
  return all;
}

Table differences_table(const Comparison& comparison) {
  const std::vector<Difference> all = differences(comparison, comparison.metric());
  Table table{fmt::format("Differences of {} at the end, paired by seed", comparison.metric()),
              {{"", true}, {"mean"}, {"standard error"}, {"95 % interval"}, {"seeds"}, {"what follows", true}},
              {},
              {}};
  std::vector<PairedDifference> paired;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i].baseline != all[i - 1].baseline)
      table.rows.push_back({{"against " + comparison.contenders[all[i].baseline].name}});
    table.rows.push_back(difference_row(all[i], comparison));
    paired.push_back(all[i].paired);
  }
  if (!all.empty()) table.note = findings_note(paired);
  return table;
}

Table equal_steps_table(const Comparison& comparison) {
  Table table{"At equal steps", {{"", true}}, {}, {}};
  const std::vector<std::int64_t> steps = equal_steps(comparison);
  if (steps.empty()) return table;
  for (const std::int64_t step : steps) table.columns.push_back({fmt::format("step {}", with_commas(step))});
  for (const std::string& metric : comparison.metrics()) {
    std::vector<std::vector<Cell>> rows;
    bool is_measured = false;
    for (const Contender& contender : comparison.contenders) {
      rows.push_back({{contender.name}});
      for (const std::int64_t step : steps) {
        const std::vector<double> values = values_at(comparison, contender, step, metric);
        is_measured = is_measured || !values.empty();
        rows.back().push_back(mean_cell(values));
      }
    }
    if (!is_measured) continue;
    table.rows.push_back({{metric}});
    table.rows.insert(table.rows.end(), rows.begin(), rows.end());
  }
  return table;
}

std::string comparison_text(const Comparison& comparison) {
  std::vector<Table> tables = {results_table(comparison), differences_table(comparison)};
  for (Table& table : sweep_tables(comparison)) tables.push_back(std::move(table));
  tables.push_back(sensitivity_table(comparison));
  tables.push_back(equal_steps_table(comparison));
  std::string text;
  for (const Table& table : tables)
    if (!table.empty()) text += (text.empty() ? "" : "\n") + table_text(table);
  return text;
}

}  // namespace tandem::report
