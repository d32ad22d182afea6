// The files of a run folder. JSON by nlohmann-json, numbers in the shortest form that reads back the same.
#include "run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cctype>
#include <ctime>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/core/versions.h>

#include "check_finite.h"

namespace tandem::examples {
namespace {

using Json = nlohmann::ordered_json;

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

Json to_json(const Metrics& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = value;
  return json;
}

bool is_log_file(const std::string& name) {
  return name == "metrics.csv" || name.rfind("events.out.tfevents.", 0) == 0;
}

bool is_our_file(const std::string& name) {
  return name == "summary.json" || name == "manifest.json" || name == "report.html" || is_log_file(name);
}

template <class Predicate>
void remove_files(const std::filesystem::path& folder, Predicate&& is_chosen) {
  std::error_code ignored;
  std::vector<std::filesystem::path> chosen;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.is_regular_file(ignored) && is_chosen(entry.path().filename().string())) chosen.push_back(entry.path());
  for (const auto& path : chosen) std::filesystem::remove(path, ignored);
}

/// What an earlier comparison left: its descriptions, its pictures, and the checkpoints of its runs. Models stay.
void remove_earlier_files(const std::filesystem::path& folder) {
  remove_files(folder, is_our_file);
  remove_pictures(folder);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (!entry.is_directory(ignored)) continue;
    remove_files(entry.path(), [](const std::string& name) {
      return name == "checkpoint.safetensors" || name == "checkpoint.previous.safetensors";
    });
    remove_pictures(entry.path());
  }
}

void remove_log_files(const std::filesystem::path& folder) { remove_files(folder, is_log_file); }

/// `path` and the folders above it that do not exist, outermost first.
std::vector<std::filesystem::path> missing_folders(std::filesystem::path path) {
  std::vector<std::filesystem::path> missing;
  std::error_code ignored;
  for (; !path.empty() && !std::filesystem::exists(path, ignored); path = path.parent_path()) {
    missing.insert(missing.begin(), path);
    if (path == path.parent_path()) break;
  }
  return missing;
}

}  // namespace

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)), made_(missing_folders(path_)) {
  make_writable_folder(path_);
  remove_earlier_files(path_);
}

RunFolder::RunFolder(std::filesystem::path path, const LogPosition& position) : path_(std::move(path)) {
  make_writable_folder(path_);
  if (position.events_file.empty()) {
    remove_log_files(path_);
    return;
  }
  table_ = std::make_unique<LogFile>(path_ / "metrics.csv", position.table_bytes);
  events_ = std::make_unique<EventFile>(path_ / position.events_file, position.events_bytes);
}

RunFolder::~RunFolder() {
  std::error_code ignored;
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder)
    if (std::filesystem::is_empty(*folder, ignored)) std::filesystem::remove(*folder, ignored);
}

void RunFolder::add_epoch(const Run& run, std::int64_t epoch, std::int64_t step, const Metrics& metrics) {
  if (!table_) {
    table_ = std::make_unique<LogFile>(path_ / "metrics.csv");
    events_ = std::make_unique<EventFile>(path_);
    std::string header = "run,optimizer,seed,epoch,step";
    for (const auto& [name, value] : metrics) header += "," + name;
    table_->append(header + "\n");
  }
  std::string row = fmt::format("{},{},{},{},{}", run.name, csv_field(run.optimizer), run.seed, epoch, step);
  for (const auto& [name, value] : metrics) {
    row += fmt::format(",{}", value);
    events_->scalar(step, name + "/" + run.name, value);
  }
  table_->append(row + "\n");
}

void RunFolder::save_model(const Run& run, const nn::Module& model, const Metadata& metadata) {
  NamedArrays arrays;
  for (const NamedTensor& entry : model.state_dict()) {
    if (!is_finite(entry.tensor.value()))
      fail(fmt::format("run {}", run.name), fmt::format("\"{}\" is not finite", entry.name), "the model is not saved");
    arrays.push_back({entry.name, entry.tensor.value()});
  }
  save_safetensors(make_run_folder(run) / "model.safetensors", arrays, metadata);
}

void RunFolder::save_pictures(const Run& run, const std::vector<Picture>& pictures) {
  remove_pictures(path_ / run.name);
  write_pictures(path_ / run.name, pictures);
}

void RunFolder::save_pictures(const std::vector<Picture>& pictures) {
  remove_pictures(path_);
  write_pictures(path_, pictures);
}

LogPosition RunFolder::position() const {
  if (!table_) return {};
  return {table_->size(), events_->size(), events_->path().filename().string()};
}

std::filesystem::path RunFolder::make_run_folder(const Run& run) {
  const std::filesystem::path folder = path_ / run.name;
  make_writable_folder(folder);
  return folder;
}

void RunFolder::write_summary(const Configuration& c, const std::vector<RunResult>& results) {
  Json summary = {{"program", c.program},       {"dataset", c.dataset},     {"data", c.data},      {"model", c.model},
                  {"parameters", c.parameters}, {"precision", c.precision}, {"threads", c.threads}};
  Json runs = Json::array();
  for (const RunResult& r : results)
    runs.push_back({{"optimizer", r.run.optimizer},
                    {"seed", r.run.seed},
                    {"epochs", r.epochs},
                    {"steps", r.steps},
                    {"seconds", r.seconds},
                    {"examples_per_second", r.examples_per_second},
                    {"final", to_json(r.final_metrics)},
                    {"best", to_json(r.best_metrics)},
                    {"run", r.run.name}});
  summary["runs"] = runs;
  summary["metric"] = c.metric;
  summary["schedule"] = c.schedule;
  summary["batch"] = c.batch;
  summary["command"] = c.command;
  summary["machine"] = fmt::format("{}, {}", processor_name(), instruction_set());
  summary["software"] = library_versions();
  write_file(path_ / "summary.json", summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::filesystem::path default_run_folder(const std::string& program) {
  const std::time_t now = std::time(nullptr);
  const std::string base = fmt::format("runs/{}-{:%Y%m%d-%H%M%S}", program, fmt::localtime(now));
  std::string path = base;
  for (int copy = 2; std::filesystem::exists(path); ++copy) path = fmt::format("{}-{}", base, copy);
  return path;
}

std::string run_name(std::size_t number, const std::string& optimizer, std::uint64_t seed) {
  std::string name = std::to_string(number);
  for (std::size_t begin = 0; begin < optimizer.size();) {
    std::size_t end = begin;
    while (end < optimizer.size() &&
           (std::isalnum(static_cast<unsigned char>(optimizer[end])) || optimizer[end] == '_'))
      ++end;
    // A name without parentheses is a rule only when it stands alone: else it is an argument.
    if (end == begin || (end < optimizer.size() ? optimizer[end] != '(' : begin != 0)) break;
    name.append(1, '-').append(optimizer, begin, end - begin);
    begin = end + 1;
  }
  return fmt::format("{}-seed{}", name, seed);
}

}  // namespace tandem::examples
