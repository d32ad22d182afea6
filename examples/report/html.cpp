// HTML as text; its style is page.css.
#include "html.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "metrics.h"

namespace tandem::report {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

/// A minus sign where a hyphen stands for one.
std::string with_minus(std::string text) {
  if (text.size() > 1 && text[0] == '-') text = "−" + text.substr(1);
  return replaced(replaced(std::move(text), " to -", " to −"), "e-", "e−");
}

std::string cell_html(const Cell& cell, bool is_text) {
  if (is_text) return fmt::format("<td class=\"text\">{}</td>", escaped(cell.text));
  if (cell.text == "-" || cell.text.empty()) return "<td><span aria-label=\"not measured\">–</span></td>";
  const std::string text = escaped(with_minus(cell.text));
  if (!cell.value) return fmt::format("<td>{}</td>", text);
  return fmt::format("<td><data value=\"{}\">{}</data></td>", number_text(*cell.value), text);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if (c == '\'')
      result += "&#39;";
    else if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f)
      result += "\uFFFD";
    else
      result += c;
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

std::string table_html(const Table& table) {
  const std::string caption = escaped(table.caption);
  std::string text = fmt::format(
      "<div class=\"scroll\" role=\"region\" aria-label=\"{0}\" "
      "tabindex=\"0\"><table>\n<caption>{0}</caption>\n<thead><tr>",
      caption);
  for (const Table::Column& column : table.columns)
    text += column.name.empty()
                ? "<td></td>"
                : fmt::format("<th scope=\"col\"{}>{}</th>",
                              column.is_text || &column == &table.columns.front() ? " class=\"text\"" : "",
                              escaped(column.name));
  text += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    if (row.size() == 1) {
      text += fmt::format("</tbody>\n<tbody>\n<tr><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>\n",
                          table.columns.size(), escaped(row[0].text));
      continue;
    }
    text += fmt::format("<tr><th scope=\"row\">{}</th>", escaped(row[0].text));
    for (std::size_t i = 1; i < row.size() && i < table.columns.size(); ++i)
      text += cell_html(row[i], table.columns[i].is_text);
    text += "</tr>\n";
  }
  text += "</tbody></table></div>\n";
  return table.note.empty() ? text : text + fmt::format("<p class=\"note\">{}</p>\n", escaped(table.note));
}

}  // namespace tandem::report
