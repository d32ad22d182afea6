// See instruments.h. The first line has the names; of each later one every list has the length of its names.
#include "instruments.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>

#include "folder_files.h"
#include "metrics.h"

namespace tandem::report {
namespace {

using Json = nlohmann::ordered_json;
using Counts = InstrumentDetails::Counts;
constexpr const char* kFormat = "instruments 1";
constexpr std::size_t kMostBins = 200, kMostParameters = 10'000;

/// A number, or one of the texts that stand for numbers that are not finite; null was not measured.
double to_number(const Json& json, const std::string& where) {
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  return json.is_string() ? parse_number(json.get<std::string>(), where) : json.get<double>();
}

/// [[bin, ..., count], ...] into counts; `dims` bins are named by each entry, the last one varies slowest.
Counts counts_of(const Json& entries, std::size_t bins, std::size_t dims, const std::string& where) {
  Counts counts(dims == 1 ? bins : bins * bins);
  for (const Json& entry : entries) {
    std::size_t place = 0, step = 1;
    for (std::size_t d = 0; d < dims; ++d, step *= bins) {
      const auto bin = entry.at(d).get<std::size_t>();
      if (bin >= bins) fail(where, fmt::format("there is no bin {}", bin));
      place += bin * step;
    }
    const auto count = entry.at(dims).get<double>();
    if (!(count >= 0) || !std::isfinite(count)) fail(where, "a count is no number");
    counts[place] = count;
  }
  return counts;
}

/// Adds a row of named numbers; the first row names the columns.
void add_row(CsvTable& table, double step, const std::vector<std::pair<std::string, double>>& values,
             const std::string& where) {
  if (table.columns.empty()) {
    table.columns = {"step"};
    for (const auto& [name, value] : values) table.columns.push_back(name);
    table.values.resize(table.columns.size());
  }
  if (values.size() + 1 != table.columns.size()) fail(where, "has other instruments than the lines before");
  table.values[0].push_back(step);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].first != table.columns[i + 1]) fail(where, "has other instruments than the lines before");
    table.values[i + 1].push_back(values[i].second);
  }
}

void read_header(const Json& header, InstrumentDetails& details, const std::string& where) {
  if (header.at("tandem") != kFormat) fail(where, fmt::format("is not a header of \"{}\"", kFormat));
  details.bins = header.at("bins").get<std::vector<std::string>>();
  details.parameters = header.at("parameters").get<std::vector<std::string>>();
  if (details.bins.empty() || details.bins.size() > kMostBins || details.parameters.size() > kMostParameters)
    fail(where, fmt::format("{} bins and {} parameters", details.bins.size(), details.parameters.size()));
  details.by_parameter.resize(details.parameters.size());
  details.gradients_by_parameter.resize(details.parameters.size());
}

void read_line(const Json& line, RunRecord& run, const std::string& where) {
  InstrumentDetails& details = run.instrument_details;
  const double step = line.at("step").get<double>();
  const std::size_t bins = details.bins.size(), parameters = details.parameters.size();
  std::vector<std::pair<std::string, double>> values;
  for (const auto& [name, value] : line.at("whole").items()) values.emplace_back(name, to_number(value, where));
  add_row(run.instruments, step, values, where);
  details.gradients.push_back(counts_of(line.at("gradients"), bins, 1, where));
  details.gradients_weights.push_back(counts_of(line.at("gradients_weights"), bins, 2, where));
  for (std::size_t p = 0; p < parameters; ++p) {
    values.clear();
    for (const auto& [name, column] : line.at("by_parameter").items())
      values.emplace_back(name, to_number(column.at(p), where));
    add_row(details.by_parameter[p], step, values, where);
    details.gradients_by_parameter[p].push_back(counts_of(line.at("gradients_by_parameter").at(p), bins, 1, where));
  }
}

}  // namespace

void read_instruments(const std::string& text, const std::string& where, RunRecord& run) {
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::string line_name = fmt::format("{}: line {}", where, ++number);
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) fail(line_name, "is cut off");
    try {
      const std::string one = text.substr(begin, end - begin);
      check_depth(one, line_name);
      const Json line = Json::parse(one);
      if (number == 1)
        read_header(line, run.instrument_details, line_name);
      else
        read_line(line, run, line_name);
    } catch (const Json::exception& error) {
      fail(line_name, "is not a line of instruments", error.what());
    }
    begin = end + 1;
  }
}

}  // namespace tandem::report
