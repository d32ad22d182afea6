// manifest.json by nlohmann-json; numbers read back exactly.
#include "manifest.h"

#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/file.h>

namespace tandem::examples {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Metrics& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = value;
  return json;
}

Metrics to_metrics(const Json& json) {
  Metrics metrics;
  for (const auto& [name, value] : json.items()) metrics.emplace_back(name, value.get<double>());
  return metrics;
}

Json to_json(const RunResult& r) {
  return {{"run", r.run.name},
          {"optimizer", r.run.optimizer},
          {"seed", r.run.seed},
          {"epochs", r.epochs},
          {"steps", r.steps},
          {"seconds", r.seconds},
          {"examples_per_second", r.examples_per_second},
          {"final", to_json(r.final_metrics)},
          {"best", to_json(r.best_metrics)}};
}

RunResult to_result(const Json& json) {
  RunResult r;
  r.run = {json.at("run"), json.at("optimizer"), json.at("seed")};
  r.epochs = json.at("epochs");
  r.steps = json.at("steps");
  r.seconds = json.at("seconds");
  r.examples_per_second = json.at("examples_per_second");
  r.final_metrics = to_metrics(json.at("final"));
  r.best_metrics = to_metrics(json.at("best"));
  return r;
}

}  // namespace

std::filesystem::path manifest_path(const std::filesystem::path& folder) { return folder / "manifest.json"; }

void write_manifest(const std::filesystem::path& folder, const Manifest& m) {
  Json runs = Json::array();
  for (const RunResult& result : m.finished) runs.push_back(to_json(result));
  const Json json = {{"program", m.program},
                     {"command", m.command},
                     {"arguments", m.arguments},
                     {"threads", m.threads},
                     {"data_checksum", m.data_checksum},
                     {"table_bytes", m.position.table_bytes},
                     {"events_bytes", m.position.events_bytes},
                     {"events_file", m.position.events_file},
                     {"finished", runs}};
  write_file(manifest_path(folder), json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = manifest_path(folder);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    fail(folder.string(), "nothing to resume", "manifest.json is not there", "--resume takes the folder of --out");
  }
  try {
    const Json json = Json::parse(read_file(path));
    Manifest m;
    m.program = json.at("program");
    m.command = json.at("command");
    m.arguments = json.at("arguments").get<std::vector<std::string>>();
    m.threads = json.at("threads");
    m.data_checksum = json.at("data_checksum");
    m.position = {json.at("table_bytes"), json.at("events_bytes"), json.at("events_file")};
    for (const Json& run : json.at("finished")) m.finished.push_back(to_result(run));
    return m;
  } catch (const Json::exception& error) {
    fail(path.string(), "not a manifest", error.what());
  }
}

std::string metrics_text(const Metrics& metrics) { return to_json(metrics).dump(); }

Metrics parse_metrics(const std::string& text) {
  try {
    return to_metrics(Json::parse(text));
  } catch (const Json::exception& error) {
    fail("metrics", "cannot be read", error.what());
  }
}

}  // namespace tandem::examples
