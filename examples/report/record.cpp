// Reading of run folders: JSON by nlohmann-json, every value through at(), so that what is missing is named.
#include "record.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include <tandem/core/error.h>

#include "folder_files.h"
#include "instruments.h"
#include "json_text.h"

namespace tandem::report {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kJsonLimit = 64 * kMiB, kCsvLimit = 1024 * kMiB, kPngLimit = 32 * kMiB;
constexpr const char* kFormat = "run folder 1";

Metrics to_metrics(const Json& json, const std::string& where) {
  Metrics metrics;
  for (const auto& [name, value] : json.items()) metrics.emplace_back(name, to_number(value, where));
  return metrics;
}

/// A whole number that is not negative: a seed, a step, a count.
template <class T>
T to_whole(const Json& json, const std::string& key, const std::string& where) {
  constexpr std::uint64_t kLargest = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  const Json& value = json.at(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kLargest)
    fail(where, fmt::format("\"{}\" is not a whole number", key));
  return value.get<T>();
}

/// A value as text: numbers as they stand, lists of texts joined with commas; nothing that nests deeper.
std::string to_text(const Json& value) {
  if (!value.is_array()) return value.is_primitive() && !value.is_string() ? value.dump() : value.get<std::string>();
  std::string text;
  for (const Json& entry : value) text += (text.empty() ? "" : ", ") + entry.get<std::string>();
  return text;
}

Texts to_texts(const Json& json) {
  Texts texts;
  for (const auto& [name, value] : json.items()) texts.emplace_back(name, to_text(value));
  return texts;
}

/// Calls read(json, where) with the content of a JSON file; what it finds missing or of a wrong type is an Error.
template <class Read>
void with_json(const fs::path& folder, const fs::path& below, const std::string& what, const Read& read) {
  const std::string where = (folder / below).string();
  try {
    read(parse_json(read_below(folder, below, kJsonLimit), where), where);
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
    run.step = to_whole<std::int64_t>(json, "step", where);
    run.epochs = to_number(json.at("epochs"), where);
    run.seconds = to_number(json.at("seconds"), where);
    run.examples_per_second = to_number(json.at("examples_per_second"), where);
    if (run.is_diverged()) {
      run.diverged_step = to_whole<std::int64_t>(json.at("diverged"), "step", where);
      run.diverged_reason = json.at("diverged").at("reason");
    }
    run.final_metrics = to_metrics(json.at("final"), where);
    run.best_metrics = to_metrics(json.at("best"), where);
    if (json.contains("pictures"))
      run.pictures = to_pictures(json.at("pictures"), folder, fs::path(run.name) / "pictures", where);
  });
}

/// An empty file is a table without rows: a run that diverged before it was evaluated has written nothing.
CsvTable read_table(const fs::path& folder, const fs::path& below, const std::vector<std::string>& words = {}) {
  const std::string text = read_below(folder, below, kCsvLimit);
  return text.empty() ? CsvTable{} : parse_csv(text, (folder / below).string(), words);
}

void read_run(const fs::path& folder, RunRecord& run) {
  read_result(folder, run);
  const fs::path below = run.name;
  run.metrics = read_table(folder, below / "metrics.csv");
  if (has_file(folder, below / "steps.csv")) run.steps = read_table(folder, below / "steps.csv");
  if (has_file(folder, below / "instruments.jsonl"))
    read_instruments(read_below(folder, below / "instruments.jsonl", kCsvLimit),
                     (folder / below / "instruments.jsonl").string(), run);
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
    run.seed = to_whole<std::uint64_t>(entry, "seed", where);
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
         fmt::format("\"tandem\" is {}, expected \"{}\"", to_text(json.at("tandem")), kFormat));
  folder.program = json.at("program");
  folder.command = json.at("command");
  folder.experiment = to_texts(json.at("experiment"));
  folder.metric = json.at("experiment").at("metric");
  folder.options = to_texts(json.at("options"));
  folder.threads = to_whole<int>(json, "threads", where);
  folder.machine = json.at("machine");
  folder.software = json.at("software");
  folder.created = json.value("created", "");
  folder.steps_per_epoch = to_whole<std::int64_t>(json, "steps_per_epoch", where);
  folder.total_steps = to_whole<std::int64_t>(json, "total_steps", where);
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
