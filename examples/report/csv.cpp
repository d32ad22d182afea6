// Reading of CSV; see csv.h. Fields are numbers and plain names, so that none is in quotes.
#include "csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <tandem/core/error.h>

#include "metrics.h"

namespace tandem::report {
namespace {

constexpr std::size_t kMostColumns = 1000;
constexpr double kLastStep = 9007199254740992;  // 2^53, up to which doubles are exact

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0;;) {
    const std::size_t comma = line.find(',', begin);
    fields.push_back(line.substr(begin, comma - begin));
    if (comma == std::string_view::npos) return fields;
    begin = comma + 1;
  }
}

double cell(std::string_view field, const std::string& column, const std::vector<std::string>& words,
            const std::string& where) {
  if (field.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (column != "weights" || words.empty()) return parse_number(field, where);
  const auto word = std::find(words.begin(), words.end(), field);
  if (word == words.end()) fail(where, fmt::format("\"{}\" is not {}", field.substr(0, 40), fmt::join(words, " or ")));
  return static_cast<double>(word - words.begin());
}

}  // namespace

const std::vector<double>* CsvTable::column(std::string_view name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  return found == columns.end() ? nullptr : &values[static_cast<std::size_t>(found - columns.begin())];
}

CsvTable parse_csv(std::string_view text, const std::string& where, const std::vector<std::string>& words) {
  CsvTable table;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string line_name = fmt::format("{} line {}", where, ++number);
    if (end == std::string_view::npos) fail(line_name, "the table is truncated: its last line has no end");
    const std::vector<std::string_view> fields = split(text.substr(begin, end - begin));
    begin = end + 1;
    if (table.columns.empty()) {
      if (fields.front() != "step" || fields.size() > kMostColumns)
        fail(line_name, "not the header of a table by step");
      table.columns.assign(fields.begin(), fields.end());
      table.values.resize(fields.size());
      continue;
    }
    if (fields.size() != table.columns.size())
      fail(line_name, fmt::format("has {} fields, the header {}", fields.size(), table.columns.size()));
    for (std::size_t i = 0; i < fields.size(); ++i)
      table.values[i].push_back(cell(fields[i], table.columns[i], words, line_name));
    if (!(table.values[0].back() >= 0 && table.values[0].back() <= kLastStep)) fail(line_name, "has no step");
  }
  if (table.columns.empty()) fail(where, "the table is empty: not even a header");
  return table;
}

}  // namespace tandem::report
