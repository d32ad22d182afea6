// What the parts of a comparison's report share. Private to report_comparison.cpp and report_differences.cpp.
#pragma once

#include <string>
#include <vector>

#include "comparison_record.h"
#include "html.h"
#include "plot.h"

namespace tandem::examples {

/// The colour, dash and marker that a contender keeps through tables and curves.
PlotStyle style_of(std::size_t contender);

/// Its short name behind the sample of its style.
std::string name_html(const Contender& contender, std::size_t number);

/// Every pair of optimizers, under the one that both are compared with; empty when no two share a seed.
std::string differences_html(const ComparisonRecord& record, const std::vector<Contender>& contenders);

}  // namespace tandem::examples
