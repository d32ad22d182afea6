// The JSON of a run folder, by nlohmann-json: numbers read back exactly, every value through at(), so that what is
// missing is named.
#include "manifest.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>

#include "folder_files.h"

namespace tandem::report {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kFormat = "run folder 1";
constexpr std::uint64_t kLargest = std::uint64_t{64} << 20;  // bytes of a file that is read

Json to_json(const Metrics& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = std::isfinite(value) ? Json(value) : Json(number_text(value));
  return json;
}

Json to_json(const Texts& texts) {
  Json json = Json::object();
  for (const auto& [name, value] : texts) json[name] = value;
  return json;
}

Json to_json(const std::vector<Picture>& pictures) {
  Json json = Json::array();
  for (const Picture& p : pictures)
    json.push_back({{"figure", p.figure}, {"row", p.row}, {"caption", p.caption}, {"file", p.file}});
  return json;
}

/// A number, or one of the texts that stand for numbers that are not finite; null was not measured.
double to_number(const Json& json, const std::string& where) {
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  return json.is_string() ? parse_number(json.get<std::string>(), where) : json.get<double>();
}

Metrics to_metrics(const Json& json, const std::string& where) {
  Metrics metrics;
  for (const auto& [name, value] : json.items()) metrics.emplace_back(name, to_number(value, where));
  return metrics;
}

/// A whole number that is not negative: a seed, a step, a count.
template <class T>
T to_whole(const Json& json, const std::string& key, const std::string& where) {
  constexpr std::uint64_t kMost = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  const Json& value = json.at(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMost)
    fail(where, fmt::format("\"{}\" is not a whole number", key));
  return value.get<T>();
}

/// Values as text: numbers as they stand; nothing that nests.
Texts to_texts(const Json& json) {
  Texts texts;
  for (const auto& [name, value] : json.items())
    texts.emplace_back(name, value.is_primitive() && !value.is_string() ? value.dump() : value.get<std::string>());
  return texts;
}

std::vector<Picture> to_pictures(const Json& list, const std::string& where) {
  std::vector<Picture> pictures;
  for (const Json& entry : list) {
    pictures.push_back({entry.at("figure"), entry.value("row", ""), entry.value("caption", ""), entry.at("file"), {}});
    check_plain_name(pictures.back().file, where);
  }
  return pictures;
}

constexpr const char* kStatuses[] = {"finished", "stopped", "diverged", "interrupted"};  // in the order of RunStatus

const char* text_of(RunStatus status) { return kStatuses[static_cast<std::size_t>(status)]; }

RunStatus to_status(const std::string& text, const std::string& where) {
  const auto found = std::find(std::begin(kStatuses), std::end(kStatuses), text);
  if (found != std::end(kStatuses)) return static_cast<RunStatus>(found - std::begin(kStatuses));
  fail(where, fmt::format("the status \"{}\" is none of finished, diverged, interrupted, stopped", text));
}

/// read(json, where) of the content of a JSON file; what it finds missing or of a wrong type is an Error.
template <class Read>
auto with_json(const fs::path& folder, const fs::path& below, const char* what, const Read& read) {
  const std::string where = (folder / below).string();
  const std::string text = read_below(folder, below, kLargest);
  check_depth(text, where);
  try {
    return read(Json::parse(text), where);
  } catch (const Json::exception& error) {
    fail(where, fmt::format("not {}", what), error.what());
  }
}

void write_json(const fs::path& path, const Json& json) {
  write_file(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

/// What run.json and the rows of summary.json say alike.
void add_end(Json& json, const RunResult& r) {
  if (r.is_diverged()) json["diverged"] = {{"step", r.step}, {"reason", r.reason}};
  json["final"] = to_json(r.final);
  json["best"] = to_json(r.best);
}

}  // namespace

std::string text_of(const Texts& texts, std::string_view name) {
  for (const auto& [known, text] : texts)
    if (known == name) return text;
  return {};
}

Texts texts_of(const Manifest& m) {
  const Experiment& e = m.experiment;
  return {{"dataset", e.dataset},
          {"data", e.data},
          {"data_checksum", e.data_checksum},
          {"model", e.model},
          {"parameters", std::to_string(m.parameters)},
          {"metric", e.metric},
          {"watched", e.watched}};
}

void write_manifest(const fs::path& folder, const Manifest& m) {
  Json runs = Json::array(), sweep = Json::array();
  for (const PlannedRun& r : m.planned)
    runs.push_back({{"name", r.name},
                    {"label", r.label},
                    {"optimizer", r.optimizer},
                    {"arguments", to_json(r.arguments)},
                    {"seed", r.seed}});
  for (const SweepAxis& axis : m.sweep) sweep.push_back({{"name", axis.name}, {"values", axis.values}});
  Json experiment = to_json(texts_of(m));
  experiment["parameters"] = m.parameters;
  const std::string now = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  write_json(folder / kManifest, {{"tandem", kFormat},
                                  {"program", m.program},
                                  {"command", m.command},
                                  {"executable", m.executable},
                                  {"created", m.created.empty() ? now : m.created},
                                  {"experiment", experiment},
                                  {"options", to_json(m.options)},
                                  {"arguments", m.arguments},
                                  {"threads", m.threads},
                                  {"ranks", m.ranks},
                                  {"machine", m.machine},
                                  {"software", m.software},
                                  {"steps_per_epoch", m.steps_per_epoch},
                                  {"total_steps", m.total_steps},
                                  {"runs", runs},
                                  {"sweep", sweep}});
}

bool is_run_folder(const fs::path& folder) {
  const fs::path path = folder / kManifest;
  if (std::error_code ignored; !fs::is_regular_file(path, ignored)) return false;
  const std::string text = read_file(path, kLargest);
  check_depth(text, path.string());
  const Json json = Json::parse(text, nullptr, false);
  return json.is_object() && json.contains("tandem") && json["tandem"] == kFormat;
}

Manifest read_manifest(const fs::path& folder) {
  if (std::error_code ignored; !fs::is_directory(folder, ignored))
    fail(folder.string(), fs::exists(folder, ignored) ? "is a file, not a run folder" : "the run folder is not there");
  if (!has_file(folder, kManifest))
    fail(folder.string(), "not a run folder", "it has no manifest.json", "name the folder that --out named");
  return with_json(folder, kManifest, "the manifest of a run folder", [&](const Json& json, const auto& where) {
    if (json.at("tandem") != kFormat)
      fail(where, "not the manifest of a run folder",
           fmt::format("\"tandem\" is {}, expected \"{}\"", json.at("tandem").dump(), kFormat));
    Manifest m;
    m.program = json.at("program");
    m.command = json.at("command");
    m.created = json.value("created", "");
    m.executable = json.value("executable", "");
    m.arguments = json.value("arguments", std::vector<std::string>());
    m.options = to_texts(json.at("options"));
    const Json& e = json.at("experiment");
    m.experiment = {e.at("dataset"), e.at("data"),   e.at("data_checksum"),
                    e.at("model"),   e.at("metric"), e.value("watched", "")};
    m.parameters = to_whole<std::int64_t>(e, "parameters", where);
    m.steps_per_epoch = to_whole<std::int64_t>(json, "steps_per_epoch", where);
    m.total_steps = to_whole<std::int64_t>(json, "total_steps", where);
    m.threads = to_whole<int>(json, "threads", where);
    if (json.contains("ranks")) m.ranks = to_whole<int>(json, "ranks", where);
    m.machine = json.at("machine");
    m.software = json.at("software");
    std::set<std::string> names;
    for (const Json& run : json.at("runs")) {
      m.planned.push_back({run.at("name"), run.at("label"), run.at("optimizer"), to_texts(run.at("arguments")),
                           to_whole<std::uint64_t>(run, "seed", where)});
      const std::string& name = m.planned.back().name;
      check_plain_name(name, where);
      if (!names.insert(name).second) fail(where, fmt::format("the run \"{}\" is there twice", name));
    }
    for (const Json& axis : json.at("sweep"))
      m.sweep.push_back({axis.at("name"), axis.at("values").get<std::vector<std::string>>()});
    return m;
  });
}

void write_run_result(const fs::path& folder, const std::string& run, const RunResult& r) {
  Json json = {{"status", text_of(r.status)}, {"step", r.step},       {"epochs", r.epochs},
               {"parameters", r.parameters},  {"seconds", r.seconds}, {"examples_per_second", r.examples_per_second}};
  add_end(json, r);
  json["pictures"] = to_json(r.pictures);
  write_json(folder / run / "run.json", json);
}

std::optional<RunResult> read_run_result(const fs::path& folder, const std::string& run) {
  const fs::path below = fs::path(run) / "run.json";
  if (!has_file(folder, below)) return std::nullopt;
  return with_json(folder, below, "the result of a run", [&](const Json& json, const auto& where) {
    RunResult r;
    r.status = to_status(json.at("status"), where);
    r.step = to_whole<std::int64_t>(json, "step", where);
    r.epochs = to_number(json.at("epochs"), where);
    r.seconds = to_number(json.at("seconds"), where);
    r.examples_per_second = to_number(json.at("examples_per_second"), where);
    if (json.contains("parameters")) r.parameters = to_whole<std::int64_t>(json, "parameters", where);
    if (r.is_diverged()) r.reason = json.at("diverged").at("reason");
    r.final = to_metrics(json.at("final"), where);
    r.best = to_metrics(json.at("best"), where);
    if (json.contains("pictures")) r.pictures = to_pictures(json.at("pictures"), where);
    return std::optional(r);
  });
}

void write_pictures(const fs::path& folder, const std::vector<Picture>& pictures) {
  write_json(folder / "pictures.json", to_json(pictures));
}

std::vector<Picture> read_pictures(const fs::path& folder) {
  if (!has_file(folder, "pictures.json")) return {};
  return with_json(folder, "pictures.json", "a list of pictures", to_pictures);
}

void write_summary(const fs::path& folder, const Manifest& m) {
  const Experiment& e = m.experiment;
  Json runs = Json::array();
  for (const PlannedRun& planned : m.planned) {
    const std::optional<RunResult> r = read_run_result(folder, planned.name);
    if (!r || !r->is_over()) continue;
    runs.push_back({{"run", planned.name},
                    {"label", planned.label},
                    {"optimizer", planned.optimizer},
                    {"seed", planned.seed},
                    {"status", text_of(r->status)},
                    {"epochs", r->epochs},
                    {"steps", r->step},
                    {"seconds", r->seconds},
                    {"examples_per_second", r->examples_per_second}});
    add_end(runs.back(), *r);
  }
  write_json(folder / "summary.json", {{"program", m.program},
                                       {"dataset", e.dataset},
                                       {"data", e.data},
                                       {"data_checksum", e.data_checksum},
                                       {"model", e.model},
                                       {"parameters", m.parameters},
                                       {"precision", text_of(m.options, "precision")},
                                       {"threads", m.threads},
                                       {"metric", e.metric},
                                       {"options", to_json(m.options)},
                                       {"command", m.command},
                                       {"machine", m.machine},
                                       {"software", m.software},
                                       {"runs", runs}});
}

std::string metrics_text(const Metrics& metrics) { return to_json(metrics).dump(); }

Metrics parse_metrics(const std::string& text) {
  try {
    return to_metrics(Json::parse(text), "metrics");
  } catch (const Json::exception& error) {
    fail("metrics", "cannot be read", error.what());
  }
}

}  // namespace tandem::report
