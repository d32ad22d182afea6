// See profile.h. Times of a step are those of its kernels; "between kernels" is what is left of a phase.
#include "profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>

#include "folder_files.h"

namespace tandem::report {
namespace {

constexpr const char* kFormat = "profile 1";
constexpr std::size_t kTextRows = 16, kPageRows = 60, kMostRuns = 3;

struct Row {
  std::string layer = {}, op = {}, phase = {}, by = {};
  double calls = 0, seconds = 0, operations = 0, bytes = 0, roof_seconds = 0;
  bool is_elsewhere = false;

  void add(const Row& other) {
    calls += other.calls;
    seconds += other.seconds;
    operations += other.operations;
    bytes += other.bytes;
    roof_seconds += other.roof_seconds;
  }
};

struct Profile {
  double steps = 0, wall = 0;
  std::vector<Row> rows;
  Json json;
};

Profile read(const std::string& text, const std::string& where) {
  check_depth(text, where);
  try {
    Profile profile;
    profile.json = Json::parse(text);
    const Json& json = profile.json;
    if (json.at("tandem") != kFormat) fail(where, "is of another version of Tandem", json.at("tandem").dump());
    profile.steps = json.at("steps");
    profile.wall = json.at("seconds");
    for (const Json& r : json.at("rows")) {
      const std::string op = r.at("op"), kernel = r.at("kernel");
      profile.rows.push_back({.layer = r.at("layer"),
                              .op = op == kernel ? op : op + ": " + kernel,
                              .phase = r.at("phase"),
                              .by = r.at("implementation"),
                              .calls = r.at("calls"),
                              .seconds = r.at("seconds"),
                              .operations = r.at("operations"),
                              .bytes = r.at("bytes"),
                              .roof_seconds = r.at("roof_seconds"),
                              .is_elsewhere = r.at("elsewhere")});
    }
    for (const Json& phase : json.at("phases"))
      for (const char* key : {"wall", "processors", "kernels"}) static_cast<void>(phase.at(key).get<double>());
    for (const Json& sentence : json.at("findings")) static_cast<void>(sentence.get<std::string>());
    return profile;
  } catch (const Json::exception& error) {
    fail(where, "is not a profile", error.what());
  }
}

Cell cell(double value, const char* format) { return {fmt::format(fmt::runtime(format), value), value}; }
Cell rate(double amount, double seconds) {
  return amount > 0 && seconds > 0 ? cell(amount / seconds * 1e-9, "{:.1f}") : Cell{""};
}
Cell percent(double part, double whole) { return whole > 0 ? cell(100 * part / whole, "{:.1f}") : Cell{""}; }

/// Seconds of all steps, as milliseconds of one.
Cell milliseconds(const Profile& p, double seconds) { return cell(1000 * seconds / std::max(1.0, p.steps), "{:.3f}"); }

Table phase_table(const Profile& p) {
  Table table{fmt::format("Phases, {:.0f} steps", p.steps),
              {{"phase", true}, {"ms a step"}, {"share %"}, {"in kernels %"}, {"processors"}},
              {},
              {}};
  for (const Json& phase : p.json.at("phases")) {
    const double wall = phase.at("wall");
    if (wall <= 0) continue;
    table.rows.push_back({{phase.at("phase").get<std::string>()},
                          milliseconds(p, wall),
                          percent(wall, p.wall),
                          percent(phase.at("kernels"), wall),
                          cell(phase.at("processors").get<double>() / wall, "{:.2f}")});
  }
  return table;
}

/// The longest rows, and one of the others together.
Table longest(const Profile& p, std::vector<Row> rows, std::size_t most, const std::string& caption, bool has_layer) {
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  Table table{caption, {}, {}, {}};
  if (has_layer) table.columns.push_back({"layer", true});
  for (const char* name : {"op", "phase", "by"}) table.columns.push_back({name, true});
  for (const char* name : {"calls", "ms a step", "share %", "GFLOP/s", "GB/s", "of roof %"})
    table.columns.push_back({name, false});
  const auto add = [&](const Row& row) {
    std::vector<Cell> cells;
    if (has_layer) cells.push_back({row.layer.empty() ? "-" : row.layer});
    cells.insert(cells.end(), {{row.op},
                               {row.phase + (row.is_elsewhere ? ", other threads" : "")},
                               {row.by},
                               cell(row.calls, "{:.0f}"),
                               milliseconds(p, row.seconds),
                               row.is_elsewhere ? Cell{""} : percent(row.seconds, p.wall),
                               rate(row.operations, row.seconds),
                               rate(row.bytes, row.seconds),
                               row.roof_seconds > 0 ? percent(row.roof_seconds, row.seconds) : Cell{""}});
    table.rows.push_back(std::move(cells));
  };
  const std::size_t shown = rows.size() > most + 1 ? most : rows.size();
  Row others{.op = fmt::format("{} others", rows.size() - shown)};
  for (std::size_t i = 0; i < rows.size(); ++i) i < shown ? add(rows[i]) : others.add(rows[i]);
  if (shown < rows.size()) {
    others.operations = others.bytes = others.roof_seconds = 0;
    add(others);
  }
  return table;
}

std::vector<Row> by_op(const std::vector<Row>& rows) {
  std::map<std::tuple<std::string, std::string, std::string, bool>, Row> sums;
  for (const Row& row : rows) {
    Row& sum = sums.try_emplace({row.op, row.phase, row.by, row.is_elsewhere},
                                Row{.op = row.op, .phase = row.phase, .by = row.by, .is_elsewhere = row.is_elsewhere})
                   .first->second;
    sum.add(row);
  }
  std::vector<Row> all;
  for (auto& [key, row] : sums) all.push_back(std::move(row));
  return all;
}

std::vector<Table> tables_of(const Profile& p, std::size_t most) {
  std::vector<Table> tables = {phase_table(p), longest(p, by_op(p.rows), most, "Ops, all layers together", false),
                               longest(p, p.rows, most, "Layers and ops", true)};
  const Json& roof = p.json.at("roof");
  const double bf16 = roof.value("bf16_gflops", 0.0);
  tables.back().note = fmt::format(
      "Roof, measured: {:.0f} GFLOP/s in a large f32 product{}, {:.1f} GB/s in a copy. Kernels that work in the caches "
      "exceed it.",
      roof.value("gflops", 0.0), bf16 > 0 ? fmt::format(", {:.0f} in bf16", bf16) : "", roof.value("gbytes", 0.0));
  return tables;
}

}  // namespace

std::vector<Table> profile_tables(const std::string& text, const std::string& where, std::size_t rows) {
  return tables_of(read(text, where), rows);
}

std::string profile_text(const std::string& text, const std::string& where) {
  const Profile profile = read(text, where);
  std::string all;
  for (const Table& table : tables_of(profile, kTextRows)) all += table_text(table) + "\n";
  for (const Json& sentence : profile.json.at("findings")) all += "- " + sentence.get<std::string>() + "\n";
  return all;
}

Json profile_section(const Comparison& comparison) {
  Json section = {{"title", fmt::format("{}: where the time went", comparison.first().program)},
                  {"text",
                   "Kernels from their door to their end, on the thread that trains. The first steps, in which "
                   "primitives and buffers are made, are left out."},
                  {"notes", Json::array()},
                  {"tables", Json::array()}};
  std::size_t shown = 0;
  for (const Contender& contender : comparison.contenders) {
    const auto found = std::find_if(contender.runs.begin(), contender.runs.end(),
                                    [&](std::size_t i) { return !comparison.runs[i].profile.empty(); });
    if (found == contender.runs.end() || shown == kMostRuns) continue;
    ++shown;
    const RunRecord& run = comparison.runs[*found];
    const std::string name = fmt::format("{}, seed {}", contender.name, run.seed);
    const Profile profile = read(run.profile, run.name);
    for (const Json& sentence : profile.json.at("findings"))
      section["notes"].push_back(name + ": " + sentence.get<std::string>());
    for (Table table : tables_of(profile, kPageRows)) {
      table.caption = name + ": " + table.caption;
      section["tables"].push_back(to_json(table));
    }
  }
  return shown == 0 ? Json() : section;
}

}  // namespace tandem::report
