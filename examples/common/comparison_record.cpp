// Reading of run folders: JSON by nlohmann-json, metrics.csv as run_folder.cpp writes it.
#include "comparison_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/file.h>

namespace tandem::examples {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

Metrics to_metrics(const Json& json) {
  Metrics metrics;
  for (const auto& [name, value] : json.items())
    metrics.emplace_back(name, value.is_null() ? kNotMeasured : value.get<double>());
  return metrics;
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

void read_summary(const std::filesystem::path& path, ComparisonRecord& record) {
  try {
    const Json json = Json::parse(read_file(path));
    Configuration& c = record.configuration;
    c.program = json.at("program");
    c.command = json.at("command");
    c.dataset = json.at("dataset");
    c.data = json.value("data", c.dataset);
    c.model = json.at("model");
    c.parameters = json.at("parameters");
    c.batch = json.at("batch");
    c.schedule = json.at("schedule");
    c.precision = json.at("precision");
    c.threads = json.at("threads");
    std::string machine =
        fmt::format("{}, {} thread{}", json.at("machine").get<std::string>(), c.threads, c.threads == 1 ? "" : "s");
    if (json.contains("software")) machine += ", " + json.at("software").get<std::string>();
    record.machines = {machine};
    record.commands = {c.command};
    for (const Json& run : json.at("runs")) record.runs.push_back({to_result(run), {}, {}});
    if (record.runs.empty()) fail(path.string(), "no run is finished");
    // A summary that names no metric is about its last one.
    const Metrics& last = record.runs.front().result.final_metrics;
    c.metric = json.value("metric", last.empty() ? std::string() : last.back().first);
  } catch (const Json::exception& error) {
    fail(path.string(), "not a summary of runs", error.what());
  }
}

/// The fields of a line; a field in quotes may have commas, and quotes doubled.
std::vector<std::string> split_csv(const std::string& line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && is_quoted && i + 1 < line.size() && line[i + 1] == '"')
      fields.back() += line[++i];
    else if (c == '"')
      is_quoted = !is_quoted;
    else if (c == ',' && !is_quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  return fields;
}

template <class T>
T parse_number(const std::string& text, const std::string& where) {
  T value{};
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size())
    fail(where, fmt::format("\"{}\" is not a number", text));
  return value;
}

/// run,optimizer,seed,epoch,step and the metrics; rows of runs that are not finished are passed over.
void read_rows(const std::filesystem::path& path, std::vector<RunRecord>& runs) {
  constexpr std::size_t kEpoch = 3, kStep = 4, kMetrics = 5;
  const std::string text = read_file(path);
  std::vector<std::string> header;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::vector<std::string> fields = split_csv(text.substr(begin, end - begin));
    begin = end + 1;
    const std::string where = fmt::format("{} line {}", path.string(), ++number);
    if (header.empty()) {
      header = fields;
      if (header.size() < kMetrics || header[kStep] != "step") fail(where, "not the header of a table of metrics");
      continue;
    }
    if (fields.size() != header.size())
      fail(where, fmt::format("has {} fields, the header {}", fields.size(), header.size()));
    const auto run = std::find_if(runs.begin(), runs.end(),
                                  [&](const RunRecord& record) { return record.result.run.name == fields[0]; });
    if (run == runs.end()) continue;
    EpochRow row{
        parse_number<std::int64_t>(fields[kEpoch], where), parse_number<std::int64_t>(fields[kStep], where), {}};
    for (std::size_t i = kMetrics; i < fields.size(); ++i)
      row.metrics.emplace_back(header[i], fields[i].empty() ? kNotMeasured : parse_number<double>(fields[i], where));
    run->rows.push_back(std::move(row));
  }
}

}  // namespace

std::vector<RunResult> ComparisonRecord::results() const {
  std::vector<RunResult> all;
  for (const RunRecord& run : runs) all.push_back(run.result);
  return all;
}

ComparisonRecord read_comparison(const std::filesystem::path& folder) {
  ComparisonRecord record;
  read_summary(folder / "summary.json", record);
  read_rows(folder / "metrics.csv", record.runs);
  record.input_pictures = read_pictures(folder);
  for (RunRecord& run : record.runs) run.pictures = read_pictures(folder / run.result.run.name);
  return record;
}

bool belong_together(const ComparisonRecord& a, const ComparisonRecord& b) {
  const Configuration &x = a.configuration, &y = b.configuration;
  return x.program == y.program && x.dataset == y.dataset && x.model == y.model && x.parameters == y.parameters &&
         x.metric == y.metric && x.batch == y.batch && x.schedule == y.schedule && x.precision == y.precision &&
         a.runs.front().result.steps == b.runs.front().result.steps;
}

void append(ComparisonRecord& record, const ComparisonRecord& more) {
  record.commands.insert(record.commands.end(), more.commands.begin(), more.commands.end());
  for (const std::string& machine : more.machines)
    if (std::find(record.machines.begin(), record.machines.end(), machine) == record.machines.end())
      record.machines.push_back(machine);
  record.runs.insert(record.runs.end(), more.runs.begin(), more.runs.end());
  if (record.input_pictures.empty()) record.input_pictures = more.input_pictures;
}

std::vector<Contender> contenders_of(const std::vector<RunResult>& results) {
  std::vector<Contender> contenders;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Run& run = results[i].run;
    const auto same = std::find_if(contenders.begin(), contenders.end(), [&](const Contender& contender) {
      return contender.optimizer == run.optimizer &&
             std::none_of(contender.runs.begin(), contender.runs.end(),
                          [&](std::size_t other) { return results[other].run.seed == run.seed; });
    });
    if (same == contenders.end())
      contenders.push_back({run.optimizer, {}, {i}});
    else
      same->runs.push_back(i);
  }
  std::vector<std::string> specs;
  for (const Contender& contender : contenders) specs.push_back(contender.optimizer);
  const std::vector<std::string> names = short_names(specs);
  for (std::size_t i = 0; i < contenders.size(); ++i) contenders[i].name = names[i];
  return contenders;
}

}  // namespace tandem::examples
