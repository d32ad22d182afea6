// Reading of run folders: JSON by nlohmann-json, every value through at(), so that what is missing is named.
#include "record.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include <tandem/core/error.h>

#include "folder_files.h"

namespace tandem::report {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kJsonLimit = 64 * kMiB, kCsvLimit = 1024 * kMiB, kPngLimit = 32 * kMiB;
constexpr const char* kFormat = "run folder 1";

/// A number, or one of the texts that stand for numbers that are not finite; null was not measured.
double to_number(const Json& json, const std::string& where) {
  if (json.is_null()) return parse_number("nan", where);
  return json.is_string() ? parse_number(json.get<std::string>(), where) : json.get<double>();
}

Metrics to_metrics(const Json& json, const std::string& where) {
  Metrics metrics;
  for (const auto& [name, value] : json.items()) metrics.emplace_back(name, to_number(value, where));
  return metrics;
}

/// An object's values as texts: numbers as they stand, lists joined with commas.
Texts to_texts(const Json& json) {
  Texts texts;
  for (const auto& [name, value] : json.items()) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (value.is_array()) {
      text.clear();
      for (const Json& entry : value) text += (text.empty() ? "" : ", ") + entry.get<std::string>();
    }
    texts.emplace_back(name, std::move(text));
  }
  return texts;
}

/// Calls read(json, where) with the content of a JSON file; what it finds missing or of a wrong type is an Error.
template <class Read>
void with_json(const fs::path& folder, const fs::path& below, const std::string& what, const Read& read) {
  const std::string where = (folder / below).string();
  const std::string text = read_below(folder, below, kJsonLimit);
  try {
    read(Json::parse(text), where);
  } catch (const Json::exception& error) {
    fail(where, "not " + what, error.what());
  }
}

Status to_status(const std::string& text, const std::string& where) {
  if (text == "finished") return Status::kFinished;
  if (text == "diverged") return Status::kDiverged;
  if (text == "interrupted") return Status::kInterrupted;
  if (text == "stopped") return Status::kStopped;
  fail(where, fmt::format("the status \"{}\" is none of finished, diverged, interrupted, stopped", text));
}

std::vector<Picture> to_pictures(const Json& list, const fs::path& folder, const fs::path& below,
                                 const std::string& where) {
  std::vector<Picture> pictures;
  for (const Json& entry : list) {
    const std::string file = entry.at("file");
    check_plain_name(file, where);
    Picture picture{entry.at("figure"), entry.value("row", ""), entry.value("caption", ""),
                    read_below(folder, below / file, kPngLimit)};
    png_size(picture.png, (folder / below / file).string());
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

void read_result(const fs::path& folder, RunRecord& run) {
  with_json(folder, fs::path(run.name) / "run.json", "the result of a run", [&](const Json& json, const auto& where) {
    run.status = to_status(json.at("status"), where);
    run.step = json.at("step");
    run.epochs = to_number(json.at("epochs"), where);
    run.seconds = to_number(json.at("seconds"), where);
    run.examples_per_second = to_number(json.at("examples_per_second"), where);
    if (run.is_diverged()) {
      run.diverged_step = json.at("diverged").at("step");
      run.diverged_reason = json.at("diverged").at("reason");
    }
    run.final_metrics = to_metrics(json.at("final"), where);
    run.best_metrics = to_metrics(json.at("best"), where);
    if (json.contains("pictures"))
      run.pictures = to_pictures(json.at("pictures"), folder, fs::path(run.name) / "pictures", where);
  });
}

CsvTable read_table(const fs::path& folder, const fs::path& below, const std::vector<std::string>& words = {}) {
  return parse_csv(read_below(folder, below, kCsvLimit), (folder / below).string(), words);
}

void read_run(const fs::path& folder, RunRecord& run) {
  read_result(folder, run);
  const fs::path below = run.name;
  run.metrics = read_table(folder, below / "metrics.csv");
  if (has_file(folder, below / "steps.csv")) run.steps = read_table(folder, below / "steps.csv");
  if (has_file(folder, below / "inner.csv")) run.inner = read_table(folder, below / "inner.csv", {"fast", "slow"});
}

void read_runs(const Json& list, RunFolder& folder, const std::string& where) {
  std::set<std::string> names;
  for (const Json& entry : list) {
    RunRecord run;
    run.name = entry.at("name");
    check_plain_name(run.name, where);
    if (!names.insert(run.name).second) fail(where, fmt::format("the run \"{}\" is there twice", run.name));
    run.label = entry.at("label");
    run.optimizer = entry.at("optimizer");
    if (entry.contains("arguments")) run.arguments = to_texts(entry.at("arguments"));
    run.seed = entry.at("seed");
    if (has_file(folder.path, fs::path(run.name) / "run.json")) {
      read_run(folder.path, run);
      folder.runs.push_back(std::move(run));
    } else {
      folder.missing.push_back(run.name);
    }
  }
}

void read_manifest(const Json& json, RunFolder& folder, const std::string& where) {
  if (json.at("tandem") != kFormat)
    fail(where, "not the manifest of a run folder",
         fmt::format("\"tandem\" is {}, expected \"{}\"", json.at("tandem").dump(), kFormat));
  folder.program = json.at("program");
  folder.command = json.at("command");
  folder.experiment = to_texts(json.at("experiment"));
  folder.metric = json.at("experiment").at("metric");
  folder.options = to_texts(json.at("options"));
  folder.threads = json.at("threads");
  folder.machine = json.at("machine");
  folder.software = json.at("software");
  folder.created = json.value("created", "");
  folder.steps_per_epoch = json.at("steps_per_epoch");
  folder.total_steps = json.at("total_steps");
  for (const Json& axis : json.at("sweep")) folder.sweep.push_back({axis.at("name"), axis.at("values")});
  read_runs(json.at("runs"), folder, where);
}

}  // namespace

std::string text_of(const Texts& texts, std::string_view name) {
  for (const auto& [known, text] : texts)
    if (known == name) return text;
  return {};
}

bool is_run_folder(const fs::path& folder) { return has_file(folder, "manifest.json"); }

RunFolder read_run_folder(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored))
    fail(path.string(), fs::exists(path, ignored) ? "is a file, not a run folder" : "the run folder is not there");
  if (!is_run_folder(path))
    fail(path.string(), "not a run folder", "it has no manifest.json", "name the folder that --out named");
  RunFolder folder;
  folder.path = path;
  with_json(path, "manifest.json", "the manifest of a run folder",
            [&](const Json& json, const std::string& where) { read_manifest(json, folder, where); });
  if (has_file(path, "pictures.json"))
    with_json(path, "pictures.json", "a list of pictures", [&](const Json& json, const std::string& where) {
      folder.pictures = to_pictures(json, path, "pictures", where);
    });
  return folder;
}

}  // namespace tandem::report
