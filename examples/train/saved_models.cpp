// Models by the manifest: a folder that lies beside them, of an earlier comparison or of somebody else, is not looked
// at.
#include "saved_models.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>

#include <tandem/core/error.h>

#include "program.h"
#include "run_folder.h"

namespace tandem::train {

std::vector<SavedModel> saved_models(const std::filesystem::path& folder) {
  const std::filesystem::path comparison = comparison_of(folder);
  std::error_code ignored;
  const bool is_run = !std::filesystem::equivalent(comparison, folder, ignored);
  const std::string only = is_run ? std::filesystem::weakly_canonical(folder).filename().string() : std::string();
  std::vector<SavedModel> models;
  for (const PlannedRun& run : read_manifest(comparison).planned) {
    const std::filesystem::path path = comparison / run.name / "model.safetensors";
    if (is_run && run.name != only) continue;
    if (std::filesystem::is_regular_file(path, ignored)) models.push_back({run.name, path});
  }
  if (models.empty())
    fail(folder.string(), "no model to evaluate", "none of its runs has come to its end", "--resume goes on with them");
  return models;
}

std::vector<SavedModel> models_to_use(const Options& options) {
  if (!options.evaluate.empty()) return saved_models(options.evaluate);
  return {{options.init.string(), options.init}};
}

std::optional<std::uint64_t> training_checksum(const nn::ModelInfo& info) {
  const auto found = info.extra.find("data_checksum");
  if (found == info.extra.end()) return std::nullopt;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return status != std::errc() || end != text.data() + text.size() ? std::nullopt : std::optional(value);
}

int print_evaluations(const Options& options, const std::vector<std::pair<std::string, report::Metrics>>& evaluations) {
  if (!options.json) {
    for (const auto& [run, metrics] : evaluations) {
      std::string line = run;
      for (const auto& [name, value] : metrics) line += fmt::format("  {} {:.4f}", name, value);
      fmt::print("{}\n", line);
    }
    return kExitDone;
  }
  std::string text;
  for (const auto& [run, metrics] : evaluations)
    text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", run, report::metrics_text(metrics));
  fmt::print("{{{}}}\n", text);
  return kExitDone;
}

}  // namespace tandem::train
