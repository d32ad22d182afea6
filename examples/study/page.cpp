// Tables and figures of a study. See page.h; the form of the data is that of report/README.md.
#include "page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include <tandem/report/metrics.h>
#include <tandem/report/page.h>

namespace tandem::study {
namespace {

using report::Json, report::Table;

std::string with_interval(const Interval& interval) {
  return std::isnan(interval.reach) ? fmt::format("{:.3f}", interval.mean)
                                    : fmt::format("{:.3f} ± {:.3f}", interval.mean, interval.reach);
}

report::Cell interval_cell(const std::vector<double>& values) {
  const Interval interval = interval_of(values);
  return {with_interval(interval), interval.mean};
}

std::vector<double> ratios() {
  std::vector<double> all;
  constexpr int kPoints = 60;
  for (int i = 0; i <= kPoints; ++i) all.push_back(std::pow(kMostRatio, static_cast<double>(i) / kPoints));
  return all;
}

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(report::to_json(value));
  return list;
}

bool takes_part(const Findings& f, const std::string& name) {
  return std::any_of(f.standings.begin(), f.standings.end(),
                     [&](const Standing& s) { return s.contestant.name == name; });
}

/// The curves that can be told apart: those of Lookahead's comparisons, then the best, at most ten.
std::vector<const Standing*> shown_in_figures(const Findings& f) {
  constexpr std::size_t kMost = 10;
  const std::array family = {"lookahead", "momentum", "momentum_half", "lookahead_adam", "adam"};
  std::vector<const Standing*> shown;
  for (const Standing& s : f.standings)
    if (std::find(family.begin(), family.end(), s.contestant.name) != family.end()) shown.push_back(&s);
  for (const Standing& s : f.standings) {
    if (shown.size() >= kMost) break;
    if (std::find(shown.begin(), shown.end(), &s) == shown.end()) shown.push_back(&s);
  }
  return shown;
}

Json names_of(const std::vector<const Standing*>& shown) {
  Json names = Json::array();
  for (const Standing* s : shown) names.push_back(s->contestant.name);
  return names;
}

Json profile_figure(const Findings& f, const std::vector<const Standing*>& shown, bool is_tuned) {
  Json figure = {{"kind", "lines"},
                 {"title", is_tuned ? "Performance profile, tuned" : "Performance profile, at the default rate"},
                 {"caption", "Share of the tasks on which a rule comes within a ratio of the best cost of all."},
                 {"x", {{"label", "ratio to the best"}, {"log", true}}},
                 {"y", {{"label", "share of tasks"}, {"log", false}}},
                 {"series", Json::array()}};
  const std::vector<double> at = ratios();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    figure["series"].push_back({{"name", shown[i]->contestant.name},
                                {"group", i},
                                {"style", "line"},
                                {"x", numbers(at)},
                                {"y", numbers(profile_of(f, *shown[i], is_tuned, at))}});
  }
  return figure;
}

/// Validation cost over the factor of the learning rate, one figure a task.
Json sensitivity_figure(const Findings& f, const std::vector<const Standing*>& shown, std::size_t task) {
  std::vector<std::size_t> order(f.factors.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return f.factors[a] < f.factors[b]; });
  Json figure = {{"kind", "lines"},
                 {"title", f.tasks[task].name},
                 {"x", {{"label", "learning rate / default"}, {"log", true}}},
                 {"y", {{"label", "validation cost"}, {"log", true}}},
                 {"series", Json::array()}};
  for (std::size_t g = 0; g < shown.size(); ++g) {
    Json x = Json::array(), y = Json::array();
    for (const std::size_t i : order) {
      const double cost = shown[g]->cells[task].trials[i];
      x.push_back(report::to_json(f.factors[i]));
      y.push_back(std::isfinite(cost) && cost > 0 ? report::to_json(cost) : Json(nullptr));
    }
    figure["series"].push_back(
        {{"name", shown[g]->contestant.name}, {"group", g}, {"style", "line"}, {"x", x}, {"y", y}});
  }
  return figure;
}

/// Scores of every rule on every task.
Json score_map(const Findings& f, bool is_tuned) {
  Json columns = Json::array(), rows = Json::array(), cells = Json::array();
  for (const Task& task : f.tasks) columns.push_back(task.name);
  for (const Standing& s : f.standings) {
    rows.push_back(s.contestant.name);
    for (std::size_t t = 0; t < f.tasks.size(); ++t) {
      std::vector<double> scores;
      for (const double cost : is_tuned ? s.cells[t].tuned : s.cells[t].by_default)
        scores.push_back(score_of(cost, f.best[t]));
      const report::MeanAndDeviation all = report::mean_and_deviation(scores);
      cells.push_back({{"value", report::to_json(all.mean)},
                       {"deviation", report::to_json(all.deviation)},
                       {"diverged", 0},
                       {"runs", scores.size()}});
    }
  }
  return {{"kind", "heatmap"},
          {"title", is_tuned ? "Score of every rule on every task, tuned" : "The same at the default rate"},
          {"caption", "1: the best cost of all; 0: ten times it, or diverged. Mean over the seeds."},
          {"x", {{"name", "task"}, {"values", columns}}},
          {"y", {{"name", "rule"}, {"values", rows}}},
          {"measure", "score"},
          {"larger_is_better", true},
          {"extent", {0, 1}},
          {"cells", cells}};
}

}  // namespace

Table leaderboard(const Findings& f) {
  Table table;
  table.caption = "Leaderboard: mean score over the tasks, with the 95 % interval over the seeds";
  table.columns = {{"rule", true}, {"tuned"},        {"by default"}, {"any rate"}, {"near its best"},
                   {"diverged"},   {"tuning steps"}, {"gradients"},  {"seconds"}};
  const std::size_t tried = f.factors.size() * f.tasks.size();
  for (const Standing& s : f.standings) {
    table.rows.push_back({{s.contestant.name},
                          interval_cell(s.tuned_scores),
                          interval_cell(s.default_scores),
                          {fmt::format("{:.3f}", s.area), s.area},
                          {fmt::format("{}/{}", s.near, tried), static_cast<double>(s.near)},
                          {fmt::format("{}", s.diverged), static_cast<double>(s.diverged)},
                          {report::with_commas(s.tuning_steps), static_cast<double>(s.tuning_steps)},
                          {report::with_commas(s.tuning_evaluations), static_cast<double>(s.tuning_evaluations)},
                          {fmt::format("{:.1f}", s.tuning_seconds), s.tuning_seconds}});
  }
  table.note = fmt::format(
      "Score: 1 where the cost is the best of all rules, 0 from ten times it on. Any rate: the mean score of the {} "
      "rates "
      "tried (area under the sensitivity curve; one seed). Tuning: {} trials of a rule on a task.",
      f.factors.size(), f.factors.size());
  return table;
}

Table costs_table(const Findings& f, bool is_tuned) {
  Table table;
  table.caption = is_tuned ? "Test costs at the chosen learning rate, mean ± deviation, x factor of the default"
                           : "Test costs at the default learning rate, mean ± deviation";
  table.columns = {{"rule", true}};
  for (const Task& task : f.tasks) table.columns.push_back({task.name});
  for (const Standing& s : f.standings) {
    std::vector<report::Cell> row = {{s.contestant.name}};
    for (const study::Cell& cell : s.cells) {
      const std::vector<double>& costs = is_tuned ? cell.tuned : cell.by_default;
      const report::MeanAndDeviation all = report::mean_and_deviation(costs);
      std::string text = all.count == 0 ? "diverged" : fmt::format("{:.4g} ± {:.2g}", all.mean, all.deviation);
      if (all.count > 0 && all.left_out > 0) text += fmt::format(", {} diverged", all.left_out);
      if (is_tuned && cell.factor != 1) text += fmt::format(" x{:.3g}", cell.factor);
      row.push_back({text, all.count == 0 ? std::optional<double>() : std::optional<double>(all.mean)});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table lookahead_table(const Findings& f) {
  struct Pair {
    const char *a, *b;
  };
  constexpr Pair kPairs[] = {{"lookahead", "momentum"},
                             {"lookahead", "momentum_half"},
                             {"lookahead_adam", "adam"},
                             {"lookahead_adam", "adam_half"}};
  Table table;
  table.caption = "Lookahead against its inner rule, and against that rule at alpha times its rate";
  table.columns = {{"task", true}, {"rates", true}, {"cost / cost"}, {"95 % interval"}, {"follows", true}};
  std::vector<report::PairedDifference> all;
  for (const Pair& pair : kPairs) {
    if (!takes_part(f, pair.a) || !takes_part(f, pair.b)) continue;
    table.rows.push_back({{fmt::format("{} / {}", pair.a, pair.b)}});
    for (std::size_t t = 0; t < f.tasks.size(); ++t) {
      for (const bool is_tuned : {false, true}) {
        const report::PairedDifference d = difference(f, pair.a, pair.b, t, is_tuned);
        all.push_back(d);
        const double ratio = std::pow(10.0, d.mean);
        table.rows.push_back(
            {{f.tasks[t].name},
             {is_tuned ? "chosen" : "default"},
             {std::isfinite(ratio) ? fmt::format("{:.3f}", ratio) : "-", ratio},
             {d.seeds > 1 ? fmt::format("{:.3f} to {:.3f}", std::pow(10.0, d.low), std::pow(10.0, d.high))
                          : std::string("-")},
             {report::finding(d, false)}});
      }
    }
  }
  if (!all.empty())
    table.note =
        "Ratios of costs, geometric means paired by seed; below 1 Lookahead is better. " + report::findings_note(all);
  return table;
}

std::string page_of(const Findings& f, const std::string& command,
                    const std::vector<std::pair<std::string, std::string>>& about) {
  const std::vector<const Standing*> shown = shown_in_figures(f);
  Json board = {
      {"title", "Leaderboard"},
      {"text",
       "Every rule on every task, as it comes and with a tuned learning rate. The rate is chosen by the "
       "validation cost of one seed that no reported training has."},
      {"groups", names_of(shown)},
      {"tables", Json::array({report::to_json(leaderboard(f))})},
      {"figures", Json::array({profile_figure(f, shown, true), profile_figure(f, shown, false), score_map(f, true),
                               score_map(f, false)})},
      {"further_tables", Json::array({report::to_json(costs_table(f, true)), report::to_json(costs_table(f, false))})}};
  Json sensitivity = {{"title", "How much the learning rate matters"},
                      {"text", "Validation cost over the factor of the default rate; one seed. A gap: diverged."},
                      {"groups", names_of(shown)},
                      {"figures", Json::array()}};
  Json panels = Json::array();
  for (std::size_t t = 0; t < f.tasks.size(); ++t) panels.push_back(sensitivity_figure(f, shown, t));
  sensitivity["figures"].push_back(
      {{"kind", "group"}, {"title", "Sensitivity"}, {"caption", ""}, {"figures", std::move(panels)}});
  Json sections = Json::array({std::move(board), std::move(sensitivity)});
  if (const Table table = lookahead_table(f); !table.empty())
    sections.push_back({{"title", "Lookahead"}, {"text", ""}, {"tables", Json::array({report::to_json(table)})}});
  Json list = Json::array();
  for (const Task& task : f.tasks) {
    const std::int64_t steps = steps_of(task, f.settings.scale);
    list.push_back({task.name, fmt::format("{}; {} steps; {}", task.about, steps, task.measure)});
  }
  for (const Standing& s : f.standings)
    list.push_back({s.contestant.name, fmt::format("{}, {}", s.contestant.spec, s.contestant.schedule)});
  for (const auto& [term, text] : about) list.push_back({term, text});
  sections.push_back({{"title", "How it was made"}, {"text", ""}, {"list", list}, {"code", Json::array({command})}});
  return report::report_page(
      {{"title", "A leaderboard of rules"},
       {"subtitle", fmt::format("{} rules on {} small tasks, {} trials each, {} seeds", f.standings.size(),
                                f.tasks.size(), f.factors.size(), f.settings.seeds.size())},
       {"sections", sections}});
}

std::string csv_of(const Outcomes& outcomes) {
  std::string text = "task,rule,factor,seed,validation,test,steps,evaluations,seconds\n";
  for (const auto& entry : outcomes) {
    const Trial& t = entry.first;
    const Outcome& o = entry.second;
    text += fmt::format("{},{},{},{},{:.6g},{:.6g},{},{},{:.3f}\n", t.task, t.contestant, t.factor, t.seed,
                        o.costs.validation, o.costs.test, o.steps, o.evaluations, o.seconds);
  }
  return text;
}

}  // namespace tandem::study
