// Tables of numbers as run folders hold them: metrics.csv, steps.csv, inner.csv. The first line names the columns; an
// empty cell was not measured and is NaN; "inf", "-inf" and "nan" are numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem::report {

struct CsvTable {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> values;  ///< one vector a column, all of equal length

  std::size_t rows() const { return values.empty() ? 0 : values.front().size(); }
  /// The values of a column; null when there is none of this name.
  const std::vector<double>* column(std::string_view name) const;
};

/// Reads text. `words`: what may stand for the numbers 0, 1, ... in the column "weights". Throws Error naming `where`
/// and the line: a row that has not as many fields as the header, a field that is no number, a last line that is cut
/// off.
CsvTable parse_csv(std::string_view text, const std::string& where, const std::vector<std::string>& words = {});

}  // namespace tandem::report
