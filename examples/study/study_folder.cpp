// study.json. See study_folder.h.
#include "study_folder.h"

#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>

namespace tandem::study {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "study 1";
constexpr const char* kFile = "study.json";
constexpr std::uint64_t kLargest = std::uint64_t{1} << 24;

void remove_study(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const char* name : {"trials.jsonl", "results.csv", "report.html", kFile}) files.push_back(folder / name);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("trials-") && name.ends_with(".jsonl")) files.push_back(entry.path());
  }
  for (const fs::path& file : files) fs::remove(file);
}

}  // namespace

bool is_study(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_regular_file(folder / kFile, ignored)) return false;
  const Json json = Json::parse(read_file(folder / kFile, kLargest), nullptr, false);
  return json.is_object() && json.value("format", "") == kFormat;
}

train::RunFolder claim_study(const fs::path& path, bool overwrite, const std::string& executable) {
  if (path.empty()) return train::RunFolder::create_default("study");
  if (is_study(path)) {
    if (!overwrite) {
      fail_usage("--out", "a study lies there", path.string(),
                 fmt::format("{} --resume {} goes on with it, --overwrite replaces it", executable, path.string()));
    }
    const train::RunFolder held = train::RunFolder::open(path);  // not while another process works there
    remove_study(path);
  }
  return train::RunFolder::create(path, false, executable);
}

void write_settings(const fs::path& folder, const Settings& s, const std::string& command) {
  Json contestants = Json::array();
  for (const Contestant& c : s.contestants)
    contestants.push_back({{"name", c.name}, {"spec", c.spec}, {"schedule", c.schedule}});
  const Json json = {{"format", kFormat}, {"command", command}, {"tasks", s.tasks}, {"trials", s.trials},
                     {"seeds", s.seeds},  {"seed", s.seed},     {"scale", s.scale}, {"rules", contestants}};
  write_file(folder / kFile, json.dump(1) + "\n");
}

Settings read_settings(const fs::path& folder) {
  if (!is_study(folder)) fail(folder.string(), "no study lies there", {}, "--out makes a new one");
  try {
    const Json json = Json::parse(read_file(folder / kFile, kLargest));
    Settings s{.tasks = json.at("tasks"),
               .trials = json.at("trials"),
               .seeds = json.at("seeds"),
               .seed = json.at("seed"),
               .scale = json.at("scale")};
    for (const Json& c : json.at("rules")) s.contestants.push_back({c.at("name"), c.at("spec"), c.at("schedule")});
    return s;
  } catch (const nlohmann::json::exception& error) {
    fail((folder / kFile).string(), "is damaged", error.what());
  }
}

std::string read_command(const fs::path& folder) {
  const Json json = Json::parse(read_file(folder / kFile, kLargest), nullptr, false);
  return json.is_object() ? json.value("command", "") : "";
}

}  // namespace tandem::study
