// Table: rows of cells under named columns, as data: shown as text in the terminal, as HTML in the page (html.h), and
// as JSON in its data. Not here: which tables there are (tables.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tandem::report {

struct Cell {
  std::string text;
  std::optional<double> value = {};  ///< exactly, where the text is a number
};

/// A number as shown() writes it.
Cell number_cell(double value);

struct Table {
  struct Column {
    std::string name;
    bool is_text = false;  ///< to the left; numbers stand to the right
  };
  std::string caption;
  std::vector<Column> columns;          ///< the first one is of the heads of rows
  std::vector<std::vector<Cell>> rows;  ///< a row of a single cell is a heading over the rows that follow
  std::string note;                     ///< a sentence below

  bool empty() const { return rows.empty(); }
};

/// One line a row, columns under each other, the caption above and the note below; empty for a table without rows.
std::string table_text(const Table& table);

}  // namespace tandem::report
