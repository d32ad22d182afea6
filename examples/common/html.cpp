// HTML as text; the style of the page is report_style.cpp.
#include "html.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "plot_axis.h"
#include "report_style.h"

namespace tandem::examples {
namespace {

std::string shown_html(double value, const std::string& shown) {
  if (std::isnan(value)) return "<span aria-label=\"not measured\">–</span>";
  const bool is_negative = shown[0] == '-';
  return fmt::format("<data value=\"{}\">{}{}</data>", value, is_negative ? "−" : "",
                     is_negative ? shown.substr(1) : shown);
}

std::string row_html(const RowGroup::Row& row) {
  std::string text = fmt::format("<tr{}><th scope=\"row\">{}</th>", row.is_strong ? " class=\"strong\"" : "", row.head);
  for (const Cell& cell : row.cells)
    text += fmt::format("<td{}>{}</td>", cell.is_number ? "" : " class=\"text\"", cell.html);
  return text + "</tr>\n";
}

/// What stands in a column, told from its first row.
bool is_text(const Table& table, std::size_t column) {
  if (column == 0 || table.groups.empty() || table.groups.front().rows.empty()) return column == 0;
  const std::vector<Cell>& cells = table.groups.front().rows.front().cells;
  return column <= cells.size() && !cells[column - 1].is_number;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
        result += is_control ? "\uFFFD" : std::string(1, c);
      }
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t j = i; j < i + 3; ++j)
      three = three << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += i + j > bytes.size() ? '=' : kDigits[three >> (18 - 6 * j) & 63U];
  }
  return text;
}

std::string number_html(double value) { return shown_html(value, fmt::format("{:.4f}", value)); }

std::string significant_html(double value, int digits) {
  std::string shown = fmt::format("{:.{}g}", value, digits);
  if (const std::size_t e = shown.find('e'); e != std::string::npos)
    shown = shown.substr(0, e) + "×10" + superscript(std::stoi(shown.substr(e + 1)));
  return shown_html(value, shown);
}

std::string table_html(const Table& table) {
  const std::string caption = escaped(table.caption);
  std::string text = fmt::format(
      "<div class=\"scroll\" role=\"region\" aria-label=\"{0}\" "
      "tabindex=\"0\"><table>\n<caption><div>{0}</div></caption>\n<thead><tr>",
      caption);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& column = table.columns[i];
    text += column.empty() ? "<td></td>"
                           : fmt::format("<th scope=\"col\"{}>{}</th>", is_text(table, i) ? " class=\"text\"" : "",
                                         escaped(column));
  }
  text += "</tr></thead>\n";
  for (const RowGroup& group : table.groups) {
    text += "<tbody>\n";
    if (!group.head.empty())
      text += fmt::format("<tr><th scope=\"rowgroup\" colspan=\"{}\"><div>{}</div></th></tr>\n", table.columns.size(),
                          group.head);
    for (const RowGroup::Row& row : group.rows) text += row_html(row);
    text += "</tbody>\n";
  }
  return text + "</table></div>\n";
}

std::string list_html(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string text = "<dl>\n";
  for (const auto& [term, html] : entries) text += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(term), html);
  return text + "</dl>\n";
}

std::string page_html(const std::string& title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n"
      "<link rel=\"icon\" "
      "href=\"data:,\">\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      escaped(title), report_style(), body);
}

}  // namespace tandem::examples
