// JSON by nlohmann-json; numbers read back exactly.
#include "files.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/core/versions.h>
#include <tandem/report/metrics.h>

#include "findings.h"
#include "page.h"

namespace tandem::stability {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using report::number_text;

constexpr std::uint64_t kLargest = std::uint64_t{512} << 20;  // bytes of a file that is read

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(number_text(value)); }
double number(const Json& json) {
  return json.is_string() ? report::parse_number(json.get<std::string>(), "cells.jsonl") : json.get<double>();
}

Json to_json(const Outcome& o) {
  return {number(o.distance2), number(o.gap), number(o.train), number(o.test), number(o.risks)};
}

Json to_json(const Interval& i) {
  return {{"mean", number(i.mean)}, {"low", number(i.low)}, {"high", number(i.high)}, {"left_out", i.left_out}};
}

Json settings_json(const Record& r) {
  const Settings& s = r.settings;
  return {{"tandem", kResult.format},
          {"program", kResult.program},
          {"command", r.command},
          {"problems", s.problems},
          {"repetitions", s.repetitions},
          {"neighbours", s.neighbours},
          {"seed", s.seed},
          {"n", s.n},
          {"batch", s.batch},
          {"k", s.k},
          {"alpha", s.alpha},
          {"steps", s.steps},
          {"machine", fmt::format("{}, {}", processor_name(), instruction_set())},
          {"software", library_versions()},
          {"seconds", r.seconds}};
}

void write_json(const fs::path& folder, const Json& json) {
  write_file(folder / kResult.file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string curves_csv(const std::vector<Cell>& cells, const Settings& s) {
  std::string text = "problem,axis,method,at,quantity,mean,low,high,left_out\n";
  for (const std::string& problem : s.problems)
    for (const Axis axis : kAxes)
      for (const Quantity quantity : {Quantity::distance2, Quantity::gap, Quantity::test})
        for (const Curve& curve : curves(cells, problem, axis, quantity))
          for (std::size_t i = 0; i < curve.at.size(); ++i) {
            const Interval& v = curve.values[i];
            text +=
                fmt::format("{},{},{},{},{},{},{},{},{}\n", problem, name(axis), curve.method, curve.at[i],
                            name(quantity), number_text(v.mean), number_text(v.low), number_text(v.high), v.left_out);
          }
  return text;
}

}  // namespace

void write_settings(const fs::path& folder, const Record& record) { write_json(folder, settings_json(record)); }

Record read_settings(const fs::path& folder) {
  const fs::path file = folder / kResult.file;
  try {
    const Json json = Json::parse(read_file(file, kLargest));
    Record r;
    r.command = json.at("command");
    r.seconds = json.at("seconds");
    Settings& s = r.settings;
    s.problems = json.at("problems").get<std::vector<std::string>>();
    s.repetitions = json.at("repetitions"), s.neighbours = json.at("neighbours"), s.seed = json.at("seed");
    s.n = json.at("n"), s.batch = json.at("batch"), s.k = json.at("k"), s.alpha = json.at("alpha");
    s.steps = json.at("steps");
    return r;
  } catch (const Json::exception& error) {
    fail(file.string(), "not a result of stability", error.what());
  }
}

fs::path cells_path(const fs::path& folder) { return folder / "cells.jsonl"; }

std::string cell_line(const Cell& cell) {
  Json repetitions = Json::array();
  for (const auto& looks : cell.outcomes) {
    Json one = Json::array();
    for (const Outcome& o : looks) one.push_back(to_json(o));
    repetitions.push_back(std::move(one));
  }
  return Json{{"cell", cell.key()}, {"outcomes", std::move(repetitions)}}.dump() + "\n";
}

std::int64_t read_cells(const fs::path& folder, std::vector<Cell>& cells) {
  std::error_code ignored;
  if (!fs::exists(cells_path(folder), ignored)) return 0;
  const std::string text = read_file(cells_path(folder), kLargest);
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    const Json json = Json::parse(text.substr(begin, end - begin), nullptr, false);
    if (!json.is_object() || !json.contains("cell") || !json["cell"].is_string() || !json.contains("outcomes"))
      break;  // torn: all after it is measured anew
    const std::string key = json["cell"];
    for (Cell& cell : cells) {
      if (cell.key() != key) continue;
      cell.outcomes.clear();
      for (const Json& looks : json["outcomes"]) {
        cell.outcomes.emplace_back();
        for (const Json& o : looks)
          cell.outcomes.back().push_back(
              {number(o.at(0)), number(o.at(1)), number(o.at(2)), number(o.at(3)), number(o.at(4))});
      }
    }
  }
  return static_cast<std::int64_t>(begin);
}

void write_result(const fs::path& folder, const Record& record, const std::vector<Cell>& cells) {
  Json json = settings_json(record);
  Json slopes = Json::array();
  for (const SlopeRow& row : slope_rows(cells, record.settings))
    slopes.push_back({{"problem", row.problem},
                      {"axis", name(row.axis)},
                      {"method", row.method},
                      {"from", row.least},
                      {"to", row.most},
                      {"slope", to_json(row.measured)},
                      {"reconstruction", number(row.theory)}});
  json["slopes"] = std::move(slopes);
  Json ratios = Json::array();
  for (const RatioRow& row : ratio_rows(cells, record.settings))
    ratios.push_back({{"problem", row.problem},
                      {"quantity", name(row.quantity)},
                      {"against", row.against},
                      {"ratio", to_json(row.ratio)}});
  json["lookahead_over"] = std::move(ratios);
  write_json(folder, json);
  write_file(folder / "curves.csv", curves_csv(cells, record.settings));
  write_file(folder / "report.html", page_of(record, cells));
}

}  // namespace tandem::stability
