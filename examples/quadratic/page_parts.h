// Sections of the page, each of the form that examples/report/README.md describes. Private to page*.cpp.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <tandem/report/page.h>

#include "adaptive.h"
#include "experiments.h"

namespace tandem::quadratic {

using report::Json;

Json variance_section(const std::vector<VarianceRow>& rows);
Json convergence_section(const Convergence& c);
Json rates_section(const Rates& rates);
Json adaptive_section(const std::vector<AdaptiveRow>& rows);

/// An empty section whose curves have the colours of these groups.
Json section_of(const std::string& title, const std::string& text, const std::vector<std::string>& groups);

/// Figures under a heading of their own.
Json group_of(const std::string& title, const std::string& caption, std::vector<Json> figures);

struct Axis {
  std::string label;
  bool is_log = false;
};
Json lines_of(const std::string& title, const Axis& x, const Axis& y);

/// Points of a curve.
struct Curve {
  std::vector<double> x, y, low = {}, high = {};  ///< low and high: of a band or bars, or empty

  void add(double at, double value) {
    x.push_back(at);
    y.push_back(value);
  }
  void add(double at, double value, double reach) {
    add(at, value);
    low.push_back(value - reach);
    high.push_back(value + reach);
  }
};
/// Adds a curve to lines; nothing where it has no point.
void add_series(Json& lines, const std::string& name, std::size_t group, const std::string& style, const Curve& curve);

/// A row of a figure of kind "points".
Json point_row(const std::string& name, std::size_t group, double value, double reach, const std::string& text);

/// A number with so many digits.
report::Cell digits_cell(double value, int digits = 4);

}  // namespace tandem::quadratic
