// The files of a profile. See profile_log.h.
#include "profile_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/core/versions.h>

namespace tandem::train {
namespace {

using Json = nlohmann::ordered_json;
using profile::Report;

/// What a step of this row takes at least.
double roof_seconds(const Roof& roof, const profile::Row& row) {
  return row.seconds * share_of_roof(roof, row.dtype, row.operations, row.bytes, row.seconds);
}

std::string quoted(const std::string& text) { return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace); }

const char* category(profile::Event::Kind kind) {
  switch (kind) {
    case profile::Event::Kind::phase:
      return "phase";
    case profile::Event::Kind::step:
      return "step";
    case profile::Event::Kind::layer:
      return "layer";
    case profile::Event::Kind::op:
      return "op";
    case profile::Event::Kind::kernel:
      return "kernel";
  }
  return "";
}

}  // namespace

std::string profile_json(const Report& report, const Roof& roof) {
  Json json = {{"tandem", "profile 1"},
               {"machine", fmt::format("{}, {}", processor_name(), instruction_set())},
               {"software", library_versions()},
               {"threads", report.threads},
               {"steps", report.steps},
               {"warm_up_steps", report.warm_up_steps},
               {"seconds", report.wall()},
               {"roof",
                {{"gflops", roof.operations * 1e-9},
                 {"bf16_gflops", roof.bf16_operations * 1e-9},
                 {"gbytes", roof.bytes * 1e-9}}},
               {"peak_mb", static_cast<double>(report.peak_bytes) / (1 << 20)},
               {"primitives", report.primitives},
               {"allocations", report.allocations},
               {"processors",
                {{"count", report.processors.count},
                 {"seconds", report.processors.wall},
                 {"own", report.processors.own},
                 {"others", report.processors.others},
                 {"stolen", report.processors.stolen},
                 {"preemptions", report.processors.preemptions}}},
               {"findings", findings(report, roof)}};
  json["phases"] = Json::array();
  for (std::size_t i = 0; i < report.phases.size(); ++i)
    json["phases"].push_back({{"phase", name(static_cast<profile::Phase>(i))},
                              {"wall", report.phases[i].wall},
                              {"processors", report.phases[i].cpu},
                              {"kernels", report.phases[i].kernels}});
  json["rows"] = Json::array();
  for (const profile::Row& row : report.rows)
    json["rows"].push_back({{"layer", row.layer},
                            {"op", row.op},
                            {"kernel", row.kernel},
                            {"implementation", row.implementation},
                            {"phase", name(row.phase)},
                            {"dtype", name(row.dtype)},
                            {"elsewhere", row.is_elsewhere},
                            {"calls", row.calls},
                            {"seconds", row.seconds},
                            {"operations", row.operations},
                            {"bytes", row.bytes},
                            {"roof_seconds", roof_seconds(roof, row)},
                            {"repacks", row.repacks},
                            {"repack_seconds", row.repack_seconds},
                            {"primitives", row.primitives},
                            {"allocations", row.allocations}});
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string trace_json(const Report& report) {
  std::vector<std::string> names;
  for (const std::string& text : report.names) names.push_back(quoted(text));
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n";
  text += R"({"ph": "M", "pid": 1, "tid": 0, "name": "thread_name", "args": {"name": "trains"}})";
  std::int64_t step = 0;
  for (const profile::Event& event : report.events) {
    std::string shown = event.name < names.size() ? names[event.name] : "\"\"";
    if (event.kind == profile::Event::Kind::phase) shown = fmt::format("\"{}\"", name(event.phase));
    if (event.kind == profile::Event::Kind::step) shown = fmt::format("\"step {}\"", ++step);
    text += fmt::format(R"(,
{{"ph": "X", "pid": 1, "tid": {}, "ts": {:.3f}, "dur": {:.3f}, "cat": "{}", "name": {}, "args": {{"phase": "{}")",
                        event.thread, 1e6 * event.begin, 1e6 * (event.end - event.begin), category(event.kind), shown,
                        name(event.phase));
    if (event.layer != 0 && event.layer < names.size()) text += fmt::format(R"(, "layer": {})", names[event.layer]);
    if (event.implementation != 0 && event.implementation < names.size())
      text += fmt::format(R"(, "by": {})", names[event.implementation]);
    text += "}}";
  }
  return text + "\n]}\n";
}

ProfileLog::ProfileLog() : roof_(measure_roof()) { profile::start(); }

ProfileLog::~ProfileLog() {
  if (is_open_) profile::stop();
}

Report ProfileLog::stop() {
  is_open_ = false;
  Report report = profile::stop();
  const bool has_bf16 = std::any_of(report.rows.begin(), report.rows.end(),
                                    [](const profile::Row& row) { return row.dtype == DType::bf16; });
  if (has_bf16) roof_ = measure_roof(true);
  return report;
}

std::string ProfileLog::finish() { return profile_json(stop(), roof_); }

std::string ProfileLog::finish(const std::filesystem::path& folder) {
  const Report report = stop();
  const std::string text = profile_json(report, roof_);
  write_file(folder / kProfileFile, text);
  write_file(folder / kTraceFile, trace_json(report));
  return text;
}

}  // namespace tandem::train
