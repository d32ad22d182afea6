// The section of a comparison (page_data.h) but for its curves (curve_data.cpp, cycle_data.cpp, sweep_data.cpp).
#include "page_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "folder_files.h"
#include "html.h"
#include "tables.h"

namespace tandem::report {
namespace {

std::string counted(std::size_t count, const std::string& one) {
  return fmt::format("{} {}{}", with_commas(static_cast<long long>(count)), one, count == 1 ? "" : "s");
}

/// The figures that any of these name, in order.
void note_figures(const std::vector<Picture>& pictures, std::vector<std::string>& figures) {
  for (const Picture& picture : pictures)
    if (std::find(figures.begin(), figures.end(), picture.figure) == figures.end()) figures.push_back(picture.figure);
}

/// Rows under each other: the pictures of the data, then of each contender's first run that has some.
Json pictures_of(const Comparison& comparison) {
  std::vector<std::string> figures;
  for (const RunFolder& folder : comparison.folders) note_figures(folder.pictures, figures);
  for (const RunRecord& run : comparison.runs) note_figures(run.pictures, figures);
  Json all = Json::array();
  for (const std::string& figure : figures) {
    Json rows = Json::array();
    std::string caption;
    const auto add = [&](const Picture& picture, const std::string& label) {
      if (picture.figure != figure) return;
      if (caption.empty()) caption = picture.caption;
      const PictureSize size = png_size(picture.png, figure);
      rows.push_back({{"label", label}, {"width", size.width}, {"height", size.height}, {"png", base64(picture.png)}});
    };
    for (const Picture& picture : comparison.first().pictures) add(picture, picture.row);
    for (const Contender& contender : comparison.contenders) {
      const auto run = std::find_if(contender.runs.begin(), contender.runs.end(),
                                    [&](std::size_t i) { return !comparison.runs[i].pictures.empty(); });
      if (run == contender.runs.end()) continue;
      for (const Picture& picture : comparison.runs[*run].pictures)
        add(picture, contender.name + (picture.row.empty() ? "" : ", " + picture.row));
    }
    all.push_back({{"title", figure}, {"caption", caption}, {"rows", std::move(rows)}});
  }
  return all;
}

/// A term and what it is in each folder, each once.
template <class Value>
Json entry_of(const std::string& term, const Comparison& comparison, const Value& value) {
  Json entry = {term};
  for (const RunFolder& folder : comparison.folders) {
    const std::string text = value(folder);
    if (!text.empty() && std::find(entry.begin() + 1, entry.end(), text) == entry.end()) entry.push_back(text);
  }
  return entry;
}

Json configuration(const Comparison& comparison) {
  const RunFolder& first = comparison.first();
  Json list = Json::array();
  list.push_back({"data", first.experiment.data});
  list.push_back({"checksum of the data", first.experiment.data_checksum});
  list.push_back({"model", fmt::format("{}, {} parameters", first.experiment.model, with_commas(first.parameters))});
  Json optimizers = {"optimizers"};
  for (const Contender& contender : comparison.contenders)
    optimizers.push_back(contender.name == contender.optimizer ? contender.name
                                                               : contender.name + ": " + contender.optimizer);
  list.push_back(std::move(optimizers));
  list.push_back({"seeds", fmt::format("{}", fmt::join(comparison.seeds(), ", "))});
  list.push_back({"length", fmt::format("{} steps, {} an epoch", with_commas(first.total_steps),
                                        with_commas(first.steps_per_epoch))});
  for (const auto& [name, text] : first.options) list.push_back({name, text});
  list.push_back(entry_of("machine", comparison, [](const RunFolder& folder) {
    return fmt::format("{}, {} thread{}", folder.machine, folder.threads, folder.threads == 1 ? "" : "s");
  }));
  list.push_back(entry_of("software", comparison, [](const RunFolder& folder) { return folder.software; }));
  list.push_back(entry_of("begun", comparison, [](const RunFolder& folder) { return folder.created; }));
  return list;
}

/// What a reader must know of these runs before any number.
Json notes_of(const Comparison& comparison, std::span<const Comparison> others) {
  Json notes = Json::array();
  for (std::size_t i = 0; i < others.size(); ++i)
    notes.push_back(fmt::format("Apart from \"{}\" (section {}), because not only optimizer and seed differ: {}.",
                                others[i].first().program, i + 1,
                                discrepancy_text(same_experiment(others[i].first(), comparison.first()))));
  for (std::size_t i = 1; i < comparison.folders.size(); ++i)
    if (const auto differs = circumstances(comparison.first(), comparison.folders[i]); !differs.empty())
      notes.push_back(
          fmt::format("Not all runs were made alike, so that their last digits may differ for this reason: in {}, {}.",
                      comparison.folders[i].path.string(), discrepancy_text(differs)));
  for (const Contender& contender : comparison.contenders) {
    const auto diverged = std::find_if(contender.runs.begin(), contender.runs.end(),
                                       [&](std::size_t i) { return comparison.runs[i].is_diverged(); });
    if (diverged != contender.runs.end())
      notes.push_back(fmt::format("{}: {}: {}.", contender.name, ends_text(comparison, contender),
                                  comparison.runs[*diverged].reason));
  }
  std::size_t missing = 0;
  for (const RunFolder& folder : comparison.folders) missing += folder.missing.size();
  if (missing > 0)
    notes.push_back(fmt::format("{} of {} not shown: not begun, or still running.", counted(missing, "run"),
                                missing == 1 ? "the manifest is" : "the manifests are"));
  return notes;
}

}  // namespace

Json difference_figure(const Comparison& comparison) {
  Json variants = Json::array(), names = Json::array();
  std::vector<std::string> metrics = comparison.metrics();
  std::stable_partition(metrics.begin(), metrics.end(),
                        [&](const std::string& metric) { return metric == comparison.metric(); });
  for (const std::string& metric : metrics) {
    Json rows = Json::array();
    for (const Difference& d : differences(comparison, metric))
      rows.push_back(
          {{"name", comparison.contenders[d.contender].name + " − " + comparison.contenders[d.baseline].name},
           {"group", d.contender},
           {"value", to_json(d.paired.mean)},
           {"low", to_json(d.paired.low)},
           {"high", to_json(d.paired.high)},
           {"text", d.finding}});
    if (rows.empty()) continue;
    names.push_back(metric);
    variants.push_back({{"kind", "points"},
                        {"x",
                         {{"label", fmt::format("difference of {} ({} is better)", metric,
                                                is_larger_better(metric) ? "larger" : "smaller")}}},
                        {"rows", std::move(rows)}});
  }
  if (variants.empty()) return nullptr;
  return {{"kind", "group"},
          {"title", "Differences"},
          {"caption",
           "Differences at the end, paired by seed: mean and 95 % interval of Student's t. A row without an "
           "interval has one seed; one without a dot has none in which both came to their end."},
          {"choose", {{{"label", "metric"}, {"options", std::move(names)}}}},
          {"variants", std::move(variants)}};
}

Json comparison_section(const Comparison& comparison, std::span<const Comparison> others) {
  const RunFolder& first = comparison.first();
  Json section = {
      {"title", fmt::format("{}: {} on {}", first.program, first.experiment.model, first.experiment.dataset)}};
  section["text"] = fmt::format(
      "{}, {}; {} steps a run. Equal seeds have the same initial weights and the same batches. Metrics are of the "
      "evaluation weights: for Lookahead the slow ones.",
      counted(comparison.contenders.size(), "optimizer"), counted(comparison.seeds().size(), "seed"),
      with_commas(first.total_steps));
  section["notes"] = notes_of(comparison, others);
  section["groups"] = Json::array();
  for (const Contender& contender : comparison.contenders) section["groups"].push_back(contender.name);
  section["tables"] = Json::array();
  for (const Table& table : {results_table(comparison), differences_table(comparison), sensitivity_table(comparison)})
    if (!table.empty()) section["tables"].push_back(to_json(table));
  if (const Table table = equal_steps_table(comparison); !table.empty())
    section["further_tables"] = Json::array({to_json(table)});
  section["figures"] = Json::array();
  for (Json figure : {metric_curves(comparison), sweep_figure(comparison), difference_figure(comparison),
                      step_curves(comparison), saw_tooth(comparison), inner_curves(comparison)})
    if (!figure.is_null()) section["figures"].push_back(std::move(figure));
  section["pictures"] = pictures_of(comparison);
  section["list"] = configuration(comparison);
  section["code"] = Json::array();
  for (const RunFolder& folder : comparison.folders) section["code"].push_back(folder.command);
  return section;
}

}  // namespace tandem::report
