// Joining of run folders; see comparison.h.
#include "comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>

namespace tandem::report {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

void compare_texts(const std::string& name, const std::string& a, const std::string& b, std::vector<Discrepancy>& all) {
  if (a != b) all.push_back({name, a, b});
}

void compare_texts(const Texts& a, const Texts& b, std::vector<Discrepancy>& all) {
  for (const auto& [name, text] : a) compare_texts(name, text, text_of(b, name), all);
  for (const auto& [name, text] : b)
    if (std::none_of(a.begin(), a.end(), [&name = name](const auto& entry) { return entry.first == name; }))
      compare_texts(name, {}, text, all);
}

Contender* find_place(std::vector<Contender>& contenders, const std::vector<RunRecord>& runs, const RunRecord& run) {
  for (Contender& contender : contenders)
    if (contender.optimizer == run.optimizer && std::none_of(contender.runs.begin(), contender.runs.end(),
                                                             [&](std::size_t i) { return runs[i].seed == run.seed; }))
      return &contender;
  return nullptr;
}

/// Makes every name another: a label that several have becomes the optimizer in full, and then counts.
void make_unique(std::vector<Contender>& contenders) {
  std::map<std::string, std::set<std::string>> optimizers;
  for (const Contender& contender : contenders) optimizers[contender.name].insert(contender.optimizer);
  std::map<std::string, int> seen;
  for (Contender& contender : contenders) {
    if (optimizers[contender.name].size() > 1) contender.name = contender.optimizer;
    if (const int before = seen[contender.name]++; before > 0) contender.name += fmt::format(" ({})", before + 1);
  }
}

std::vector<Contender> contenders_of(const std::vector<RunRecord>& runs) {
  std::vector<Contender> contenders;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (Contender* known = find_place(contenders, runs, runs[i]))
      known->runs.push_back(i);
    else
      contenders.push_back({runs[i].optimizer, runs[i].label, runs[i].arguments, {i}});
  }
  make_unique(contenders);
  return contenders;
}

BySeed by_seed(const std::vector<RunRecord>& runs, const Contender& contender, const std::string& metric,
               Metrics RunRecord::*metrics) {
  BySeed values;
  for (const std::size_t i : contender.runs) {
    const RunRecord& run = runs[i];
    const double value = value_of(run.*metrics, metric);
    if (run.is_diverged())
      values[run.seed] = kNone;
    else if (run.is_complete() && !std::isnan(value))
      values[run.seed] = value;
  }
  return values;
}

}  // namespace

std::vector<Discrepancy> same_experiment(const RunFolder& a, const RunFolder& b) {
  std::vector<Discrepancy> all;
  compare_texts("program", a.program, b.program, all);
  compare_texts(texts_of(a), texts_of(b), all);
  compare_texts(a.options, b.options, all);
  compare_texts("steps per epoch", std::to_string(a.steps_per_epoch), std::to_string(b.steps_per_epoch), all);
  compare_texts("steps", std::to_string(a.total_steps), std::to_string(b.total_steps), all);
  return all;
}

std::vector<Discrepancy> circumstances(const RunFolder& a, const RunFolder& b) {
  std::vector<Discrepancy> all;
  compare_texts("threads", std::to_string(a.threads), std::to_string(b.threads), all);
  compare_texts("machine", a.machine, b.machine, all);
  compare_texts("software", a.software, b.software, all);
  return all;
}

std::string discrepancy_text(const std::vector<Discrepancy>& discrepancies) {
  const auto given = [](const std::string& text) { return text.empty() ? std::string("not given") : text; };
  std::string text;
  for (const Discrepancy& d : discrepancies)
    text += fmt::format("{}{} is {} there and {} here", text.empty() ? "" : "; ", d.name, given(d.a), given(d.b));
  return text;
}

std::vector<std::string> Comparison::metrics() const {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const RunRecord& run : runs) {
    for (std::size_t i = 2; i < run.metrics.columns.size(); ++i) add(run.metrics.columns[i]);
    for (const auto& [name, ignored] : run.final) add(name);
  }
  return names;
}

std::vector<std::uint64_t> Comparison::seeds() const {
  std::set<std::uint64_t> all;
  for (const RunRecord& run : runs) all.insert(run.seed);
  return {all.begin(), all.end()};
}

BySeed Comparison::final_values(const Contender& contender, const std::string& name) const {
  return by_seed(runs, contender, name, &RunRecord::final);
}

BySeed Comparison::best_values(const Contender& contender, const std::string& name) const {
  return by_seed(runs, contender, name, &RunRecord::best);
}

std::vector<Comparison> join(std::vector<RunFolder> folders) {
  std::vector<Comparison> all;
  for (RunFolder& folder : folders) {
    auto same = std::find_if(all.begin(), all.end(),
                             [&](const Comparison& known) { return same_experiment(known.first(), folder).empty(); });
    if (same == all.end()) same = all.insert(all.end(), Comparison{});
    for (RunRecord& run : folder.runs) same->runs.push_back(std::move(run));
    folder.runs.clear();
    same->folders.push_back(std::move(folder));
  }
  for (Comparison& comparison : all) comparison.contenders = contenders_of(comparison.runs);
  return all;
}

Comparison read_comparison(const std::filesystem::path& folder) {
  std::vector<RunFolder> one;
  one.push_back(read_run_folder(folder));
  return join(std::move(one)).front();
}

std::vector<std::int64_t> equal_steps(const Comparison& comparison) {
  std::map<std::int64_t, std::size_t> counts;
  std::size_t over = 0;
  for (const RunRecord& run : comparison.runs) {
    if (!run.is_complete()) continue;
    ++over;
    if (const std::vector<double>* steps = run.metrics.column("step"))
      for (const double step : *steps) ++counts[static_cast<std::int64_t>(step)];
  }
  std::vector<std::int64_t> common, chosen;
  for (const auto& [step, count] : counts)
    if (count == over) common.push_back(step);
  if (common.size() < 2) return {};
  for (const std::int64_t quarter : {1, 2, 3, 4}) {
    const std::int64_t wanted = common.back() * quarter;  // in quarters of a step
    const std::int64_t nearest = *std::min_element(common.begin(), common.end(), [&](std::int64_t a, std::int64_t b) {
      return std::abs(4 * a - wanted) < std::abs(4 * b - wanted);
    });
    if (chosen.empty() || chosen.back() != nearest) chosen.push_back(nearest);
  }
  return chosen;
}

std::vector<double> values_at(const Comparison& comparison, const Contender& contender, std::int64_t step,
                              const std::string& metric) {
  std::vector<double> values;
  for (const std::size_t i : contender.runs) {
    const CsvTable& table = comparison.runs[i].metrics;
    const std::vector<double>*steps = table.column("step"), *measured = table.column(metric);
    for (std::size_t row = 0; measured && row < table.rows(); ++row)
      if ((*steps)[row] == static_cast<double>(step) && !std::isnan((*measured)[row]))
        values.push_back((*measured)[row]);
  }
  return values;
}

}  // namespace tandem::report
