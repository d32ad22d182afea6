// Tables and page of `stability`. Not here: the numbers (findings.h), how figures are drawn (examples/report).
#pragma once

#include <string>
#include <vector>

#include "files.h"
#include "findings.h"

namespace tandem::stability {

inline constexpr Axis kAxes[] = {Axis::batch, Axis::n, Axis::k, Axis::alpha, Axis::steps, Axis::speedup};

/// A slope on log-log paper beside that of the reconstruction.
struct SlopeRow {
  std::string problem;
  Axis axis = Axis::batch;
  std::string method;
  double least = 0, most = 0;  ///< of the axis
  Interval measured;
  double theory = 0;
};
std::vector<SlopeRow> slope_rows(const std::vector<Cell>& cells, const Settings& settings);

/// Lookahead over a method at the base, in the same repetitions.
struct RatioRow {
  std::string problem, against;
  Quantity quantity = Quantity::distance2;
  Interval ratio;
};
std::vector<RatioRow> ratio_rows(const std::vector<Cell>& cells, const Settings& settings);

/// The tables of a problem, for the terminal.
std::string tables_text(const std::vector<Cell>& cells, const Settings& settings);

std::string page_of(const Record& record, const std::vector<Cell>& cells);

}  // namespace tandem::stability
