// Tables of a problem, shown in the terminal and in the page.
#pragma once

#include <tandem/report/table.h>

#include "page.h"

namespace tandem::stability {

report::Table base_table(const std::vector<Cell>& cells, const std::string& problem, const Settings& settings);
report::Table slope_table(const std::vector<SlopeRow>& rows);
report::Table ratio_table(const std::vector<RatioRow>& rows);

}  // namespace tandem::stability
