// The data of the page of a comparison: a section with its tables, figures and pictures, of the form that README.md
// describes. One function a figure.
// Private to examples/report.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "comparison.h"
#include "page.h"

namespace tandem::report {

/// The section of a comparison. `others`: the comparisons before it on the page, from which it says what differs.
Json comparison_section(const Comparison& comparison, std::span<const Comparison> others = {});

/// Every metric, and every column of the step record, by step: two groups of panels.
Json metric_curves(const Comparison& comparison);
Json step_curves(const Comparison& comparison);
/// |fast - slow| and the loss on stretches of some cycles, syncs marked; null without a record of syncs.
Json saw_tooth(const Comparison& comparison);
/// Metrics of the fast weights at every inner step and of the slow weights after the pulls; null without inner.csv.
Json inner_curves(const Comparison& comparison);
/// The grids of a sweep: lines with intervals, heat maps; null without a sweep.
Json sweep_figure(const Comparison& comparison);
/// Differences of every metric as dots with intervals; null without any.
Json difference_figure(const Comparison& comparison);

}  // namespace tandem::report
