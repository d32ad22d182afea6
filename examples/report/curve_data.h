// Series of figures of kind "lines" from curves; see README.md for their form.
// Private to examples/report.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "comparison.h"
#include "page.h"
#include "thin.h"

namespace tandem::report {

/// A series with the points of a curve, thinned; steps exactly, values with six digits.
Json series_of(const std::string& name, std::size_t group, const Curve& curve);

/// A column of a run's table by step, without what was not measured.
Points points_of(const CsvTable& table, const std::string& column);

/// The series of all contenders: of each the mean of its runs that came to their end, with the band, and each run that
/// did not as a thin line of its own, up to its end.
Json series_of(const Comparison& comparison, CsvTable RunRecord::*table, const std::string& column);

/// A group of panels, one a column; null without any.
Json curve_group(const Comparison& comparison, CsvTable RunRecord::*table, const std::vector<std::string>& columns,
                 const std::string& title);

/// True when losses as they fall are better seen on a logarithmic axis: all values positive over more than two decades.
bool wants_log(const Json& series);

}  // namespace tandem::report
