// HTML by hand, as the report needs it: escaped text, tables that a screen reader can read, embedded pictures, the page
// with its style. Nothing here loads anything: no script, no font, no link. Not here: curves (plot.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem::examples {

/// Text as it may stand between tags and in quoted attributes; control characters become U+FFFD.
std::string escaped(std::string_view text);

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

/// <data value="0.7975">0.7975</data>: four digits to read, and exactly the number for whoever parses; a dash when it
/// is NaN.
std::string number_html(double value);

/// The same with this many significant digits.
std::string significant_html(double value, int digits = 3);

/// A cell of a table: HTML that is already escaped.
struct Cell {
  std::string html;
  bool is_number = true;
};

/// Rows under a heading of their own, e.g. the runs of an optimizer.
struct RowGroup {
  struct Row {
    std::string head;  ///< HTML
    std::vector<Cell> cells;
    bool is_strong = false;  ///< a mean
  };
  std::string head;  ///< HTML; empty: no heading
  std::vector<Row> rows;
};

struct Table {
  std::string caption;               ///< text
  std::vector<std::string> columns;  ///< texts; the first is of the row heads
  std::vector<RowGroup> groups;
};
/// The table in a frame that scrolls sideways where the window is narrow.
std::string table_html(const Table& table);

/// Terms and what they are: pairs of text and HTML.
std::string list_html(const std::vector<std::pair<std::string, std::string>>& entries);

/// The whole document: `title` is text, `body` HTML.
std::string page_html(const std::string& title, const std::string& body);

}  // namespace tandem::examples
