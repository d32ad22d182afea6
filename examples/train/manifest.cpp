// manifest.json and run.json by nlohmann-json; numbers read back exactly.
#include "manifest.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/file.h>

namespace tandem::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "run folder 1";
constexpr std::uint64_t kLargest = std::uint64_t{64} << 20;  // bytes of a file of ours that is read

Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double number_of(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  const auto text = json.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  fail("metrics", "not a number", text);
}

Json to_json(const Metrics& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = number(value);
  return json;
}

Metrics to_metrics(const Json& json) {
  Metrics metrics;
  for (const auto& [name, value] : json.items()) metrics.emplace_back(name, number_of(value));
  return metrics;
}

Json to_json(const Texts& texts) {
  Json json = Json::object();
  for (const auto& [name, value] : texts) json[name] = value;
  return json;
}

Texts to_texts(const Json& json) {
  Texts texts;
  for (const auto& [name, value] : json.items()) texts.emplace_back(name, value.get<std::string>());
  return texts;
}

std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json to_json(const std::vector<SavedPicture>& pictures) {
  Json json = Json::array();
  for (const SavedPicture& p : pictures)
    json.push_back({{"figure", p.figure}, {"row", p.row}, {"caption", p.caption}, {"file", p.file}});
  return json;
}

constexpr std::pair<RunStatus, const char*> kStatuses[] = {{RunStatus::finished, "finished"},
                                                           {RunStatus::stopped, "stopped"},
                                                           {RunStatus::diverged, "diverged"},
                                                           {RunStatus::interrupted, "interrupted"}};

const char* text_of(RunStatus status) {
  for (const auto& [value, text] : kStatuses)
    if (value == status) return text;
  return "";
}

RunStatus status_of(const std::string& text, const std::string& where) {
  for (const auto& [value, name] : kStatuses)
    if (name == text) return value;
  fail(where, "unknown status", text);
}

std::string plain(const std::string& name, const std::string& where) {
  if (!is_plain_name(name)) fail(where, "a name that leads out of the folder", name);
  return name;
}

/// f(parsed file), with a file that is no JSON, or lacks something, as an Error of ours.
template <class F>
auto parse_file(const std::filesystem::path& path, const char* what, F&& f) {
  try {
    return f(Json::parse(read_file(path, kLargest)));
  } catch (const Json::exception& error) {
    fail(path.string(), fmt::format("not a {}", what), error.what());
  }
}

std::string now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

}  // namespace

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos && name.size() <= 255;
}

std::filesystem::path manifest_path(const std::filesystem::path& folder) { return folder / "manifest.json"; }

void write_manifest(const std::filesystem::path& folder, const Manifest& m) {
  Json runs = Json::array(), sweep = Json::array();
  for (const PlannedRun& r : m.runs) {
    runs.push_back({{"name", r.name},
                    {"label", r.label},
                    {"optimizer", r.optimizer},
                    {"arguments", to_json(r.arguments)},
                    {"seed", r.seed}});
  }
  for (const SweepAxis& axis : m.sweep) sweep.push_back({{"name", axis.name}, {"values", axis.values}});
  const Experiment& e = m.experiment;
  const Json json = {{"tandem", kFormat},
                     {"program", m.program},
                     {"command", m.command},
                     {"created", now()},
                     {"experiment",
                      {{"dataset", e.dataset},
                       {"data", e.data},
                       {"data_checksum", e.data_checksum},
                       {"model", e.model},
                       {"parameters", m.parameters},
                       {"metric", e.metric},
                       {"watched", e.watched}}},
                     {"options", to_json(m.options)},
                     {"arguments", m.arguments},
                     {"threads", m.threads},
                     {"machine", m.machine},
                     {"software", m.software},
                     {"steps_per_epoch", e.steps_per_epoch},
                     {"total_steps", m.total_steps},
                     {"runs", runs},
                     {"sweep", sweep}};
  write_file(manifest_path(folder), text_of(json));
}

bool is_run_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::path path = manifest_path(folder);
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  const Json json = Json::parse(read_file(path, kLargest), nullptr, false);
  return json.is_object() && json.contains("tandem") && json["tandem"] == kFormat;
}

std::filesystem::path comparison_of(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::weakly_canonical(path, ignored);
  if (!is_run_folder(folder) && folder.has_parent_path() && is_run_folder(folder.parent_path()))
    return folder.parent_path();
  return path;
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = manifest_path(folder);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    fail(folder.string(), "not a run folder", "manifest.json is not there", "give the folder that --out named");
  return parse_file(path, "manifest of a run folder", [&](const Json& json) {
    if (!json.contains("tandem") || json["tandem"] != kFormat)
      fail(path.string(), "not a manifest of this version of Tandem");
    Manifest m;
    m.program = json.at("program");
    m.command = json.at("command");
    m.arguments = json.at("arguments").get<std::vector<std::string>>();
    m.options = to_texts(json.at("options"));
    const Json& e = json.at("experiment");
    m.experiment = {e.at("dataset"), e.at("data"),    e.at("data_checksum"),     e.at("model"),
                    e.at("metric"),  e.at("watched"), json.at("steps_per_epoch")};
    m.parameters = e.at("parameters");
    m.total_steps = json.at("total_steps");
    m.threads = json.at("threads");
    m.machine = json.at("machine");
    m.software = json.at("software");
    for (const Json& run : json.at("runs"))
      m.runs.push_back({plain(run.at("name"), path.string()), run.at("label"), run.at("optimizer"),
                        to_texts(run.at("arguments")), run.at("seed")});
    for (const Json& axis : json.at("sweep"))
      m.sweep.push_back({axis.at("name"), axis.at("values").get<std::vector<std::string>>()});
    return m;
  });
}

void write_run_record(const std::filesystem::path& run_folder, const RunRecord& r) {
  Json json = {{"status", text_of(r.status)}, {"step", r.step},       {"epochs", r.epochs},
               {"parameters", r.parameters},  {"seconds", r.seconds}, {"examples_per_second", r.examples_per_second}};
  if (r.status == RunStatus::diverged) json["diverged"] = {{"step", r.step}, {"reason", r.reason}};
  json["final"] = to_json(r.final);
  json["best"] = to_json(r.best);
  json["pictures"] = to_json(r.pictures);
  write_file(run_folder / "run.json", text_of(json));
}

std::optional<RunRecord> read_run_record(const std::filesystem::path& run_folder) {
  const std::filesystem::path path = run_folder / "run.json";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  return parse_file(path, "record of a run", [&](const Json& json) -> std::optional<RunRecord> {
    RunRecord r;
    r.status = status_of(json.at("status"), path.string());
    r.step = json.at("step");
    r.epochs = json.at("epochs");
    r.parameters = json.at("parameters");
    r.seconds = json.at("seconds");
    r.examples_per_second = json.at("examples_per_second");
    if (r.status == RunStatus::diverged) r.reason = json.at("diverged").at("reason");
    r.final = to_metrics(json.at("final"));
    r.best = to_metrics(json.at("best"));
    for (const Json& p : json.at("pictures"))
      r.pictures.push_back({p.at("figure"), p.at("row"), p.at("caption"), plain(p.at("file"), path.string())});
    return r;
  });
}

void write_pictures(const std::filesystem::path& folder, const std::vector<SavedPicture>& pictures) {
  write_file(folder / "pictures.json", text_of(to_json(pictures)));
}

void write_summary(const std::filesystem::path& folder, const Manifest& m) {
  const Experiment& e = m.experiment;
  Json runs = Json::array();
  for (const PlannedRun& planned : m.runs) {
    const std::optional<RunRecord> r = read_run_record(folder / planned.name);
    if (!r || !r->is_over()) continue;
    Json run = {
        {"run", planned.name},  {"label", planned.label},       {"optimizer", planned.optimizer},
        {"seed", planned.seed}, {"status", text_of(r->status)}, {"epochs", r->epochs},
        {"steps", r->step},     {"seconds", r->seconds},        {"examples_per_second", r->examples_per_second}};
    if (r->status == RunStatus::diverged) run["diverged"] = {{"step", r->step}, {"reason", r->reason}};
    run["final"] = to_json(r->final);
    run["best"] = to_json(r->best);
    runs.push_back(run);
  }
  const Json summary = {{"program", m.program},   {"dataset", e.dataset},
                        {"data", e.data},         {"data_checksum", e.data_checksum},
                        {"model", e.model},       {"parameters", m.parameters},
                        {"precision", "f32"},     {"threads", m.threads},
                        {"metric", e.metric},     {"options", to_json(m.options)},
                        {"command", m.command},   {"machine", m.machine},
                        {"software", m.software}, {"runs", runs}};
  write_file(folder / "summary.json", text_of(summary));
}

std::string metrics_text(const Metrics& metrics) { return to_json(metrics).dump(); }

Metrics parse_metrics(const std::string& text) {
  try {
    return to_metrics(Json::parse(text));
  } catch (const Json::exception& error) {
    fail("metrics", "cannot be read", error.what());
  }
}

}  // namespace tandem::train
