// Tables as text; see table.h.
#include "table.h"

#include <algorithm>

#include "metrics.h"

namespace tandem::report {
namespace {

/// Characters of a UTF-8 text.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t width, bool is_text) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return is_text ? text + space : space + text;
}

void trim(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

Cell number_cell(double value) { return {shown(value), value}; }

std::string table_text(const Table& table) {
  if (table.empty()) return {};
  std::vector<std::size_t> widths;
  for (const Table::Column& column : table.columns) widths.push_back(width_of(column.name));
  const bool has_headings =
      std::any_of(table.rows.begin(), table.rows.end(), [](const auto& row) { return row.size() == 1; });
  const std::string indent = has_headings ? "  " : "";
  for (const auto& row : table.rows)
    for (std::size_t i = 0; row.size() > 1 && i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i].text) + (i == 0 ? indent.size() : 0));

  std::string text = table.caption.empty() ? "" : table.caption + "\n", line;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    line += (i == 0 ? "" : "  ") + padded(table.columns[i].name, widths[i], i == 0 || table.columns[i].is_text);
  trim(line);
  text += line + "\n";
  for (const auto& row : table.rows) {
    line = row.size() == 1 ? row[0].text : padded(indent + row[0].text, widths[0], true);
    for (std::size_t i = 1; i < row.size() && i < widths.size(); ++i)
      line += "  " + padded(row[i].text, widths[i], table.columns[i].is_text);
    trim(line);
    text += line + "\n";
  }
  return table.note.empty() ? text : text + table.note + "\n";
}

}  // namespace tandem::report
