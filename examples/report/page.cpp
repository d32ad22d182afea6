// The page from its data; see page.h.
#include "page.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>

#include "html.h"
#include "metrics.h"
#include "page_files.h"

namespace tandem::report {
namespace {

/// JSON as it may stand in a script element: a "</script" inside would end it, a "<!--" would change how it is read.
std::string script_text(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace))
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  return text;
}

std::string list_html(const Json& list) {
  std::string html = "<dl>\n";
  for (const Json& entry : list) {
    html += fmt::format("<dt>{}</dt>", escaped(entry.at(0).get<std::string>()));
    for (std::size_t i = 1; i < entry.size(); ++i)
      html += fmt::format("<dd>{}</dd>", escaped(entry.at(i).get<std::string>()));
    html += "\n";
  }
  return html + "</dl>\n";
}

std::string pictures_html(const Json& figures) {
  std::string html;
  for (const Json& figure : figures) {
    const std::string title = escaped(figure.at("title").get<std::string>());
    html += "<figure class=\"pictures\">\n";
    for (const Json& row : figure.at("rows"))
      html += fmt::format(
          "<div class=\"picture\"><span>{0}</span><img width=\"{1}\" height=\"{2}\" alt=\"{3}, {0}\" "
          "src=\"data:image/png;base64,{4}\"></div>\n",
          escaped(row.at("label").get<std::string>()), row.at("width").get<int>(), row.at("height").get<int>(), title,
          row.at("png").get<std::string>());
    html +=
        fmt::format("<figcaption><b>{}.</b> {}</figcaption>\n</figure>\n", title, escaped(figure.value("caption", "")));
  }
  return html;
}

std::string section_html(const Json& section, std::size_t number) {
  const auto each = [&](const char* key, const auto& html_of) {
    std::string html;
    if (const auto list = section.find(key); list != section.end())
      for (const Json& entry : *list) html += html_of(entry);
    return html;
  };
  const auto entry = [](const Json& text) { return fmt::format("<li>{}</li>\n", escaped(text.get<std::string>())); };
  std::string html =
      fmt::format("<section id=\"section-{0}\" aria-labelledby=\"title-{0}\">\n<h2 id=\"title-{0}\">{1}</h2>\n", number,
                  escaped(section.at("title").get<std::string>()));
  if (const std::string text = section.value("text", ""); !text.empty())
    html += fmt::format("<p class=\"lead\">{}</p>\n", escaped(text));
  if (const std::string notes = each("notes", entry); !notes.empty())
    html += "<ul class=\"notes\">\n" + notes + "</ul>\n";
  const auto table = [](const Json& one) { return table_html(to_table(one)); };
  html += each("tables", table);
  html += fmt::format("<div class=\"figures\" data-section=\"{}\"></div>\n", number);
  html += each("further_tables", table);
  if (section.contains("pictures")) html += pictures_html(section.at("pictures"));
  if (section.contains("list")) html += "<h3>Configuration</h3>\n" + list_html(section.at("list"));
  html += each("code", [](const Json& text) {
    return fmt::format("<pre><code>{}</code></pre>\n", escaped(text.get<std::string>()));
  });
  return html + "</section>\n";
}

/// Of the data what the scripts draw.
Json drawn(const Json& data) {
  Json sections = Json::array();
  for (const Json& section : data.at("sections")) {
    Json one = {{"title", section.at("title")}};
    for (const char* key : {"groups", "figures"})
      if (section.contains(key)) one[key] = section.at(key);
    sections.push_back(std::move(one));
  }
  return {{"title", data.at("title")}, {"sections", std::move(sections)}};
}

/// The template with {{name}} replaced, each once.
std::string filled(std::string_view page, const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string text;
  for (std::size_t at = 0;;) {
    const std::size_t open = page.find("{{", at);
    text += page.substr(at, open - at);
    if (open == std::string_view::npos) return text;
    const std::size_t close = page.find("}}", open);
    const std::string_view name = page.substr(open + 2, close - open - 2);
    for (const auto& [known, part] : parts)
      if (known == name) text += part;
    at = close + 2;
  }
}

}  // namespace

Json to_json(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

Json to_json(const Table& table) {
  Json json = {{"caption", table.caption}, {"columns", Json::array()}, {"rows", Json::array()}, {"note", table.note}};
  for (const Table::Column& column : table.columns)
    json["columns"].push_back({{"name", column.name}, {"text", column.is_text}});
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (const Cell& cell : row) {
      Json one = {{"text", cell.text}};
      // Every digit, and what is not finite as text: a table is read by programs too.
      if (cell.value) one["value"] = std::isfinite(*cell.value) ? Json(*cell.value) : to_json(*cell.value);
      cells.push_back(cell.value ? one : Json(cell.text));
    }
    json["rows"].push_back(std::move(cells));
  }
  return json;
}

Table to_table(const Json& json) {
  Table table{json.value("caption", ""), {}, {}, json.value("note", "")};
  const auto value_of = [](const Json& value) {
    if (value.is_null()) return std::nan("");
    return value.is_string() ? parse_number(value.get<std::string>(), "report: a table") : value.get<double>();
  };
  for (const Json& column : json.at("columns"))
    table.columns.push_back(column.is_string() ? Table::Column{column, false}
                                               : Table::Column{column.at("name"), column.value("text", false)});
  for (const Json& row : json.at("rows")) {
    table.rows.emplace_back();
    for (const Json& cell : row) {
      if (cell.is_object())
        table.rows.back().push_back(
            {cell.at("text"), cell.contains("value") ? value_of(cell.at("value")) : std::optional<double>{}});
      else
        table.rows.back().push_back(cell.is_string() ? Cell{cell.get<std::string>()} : number_cell(value_of(cell)));
    }
  }
  return table;
}

std::string report_page(const Json& data) {
  try {
    std::string body;
    std::size_t number = 0;
    for (const Json& section : data.at("sections")) body += section_html(section, number++);
    return filled(kPageHtml, {{"title", escaped(data.at("title").get<std::string>())},
                              {"subtitle", escaped(data.value("subtitle", ""))},
                              {"style", kPageStyle},
                              {"body", body},
                              {"data", script_text(drawn(data))},
                              {"d3", kD3},
                              {"script", kPageScript}});
  } catch (const Json::exception& error) {
    fail("report", "the data are not those of a page", error.what());
  }
}

}  // namespace tandem::report
