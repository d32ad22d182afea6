// What `quadratic` prints: a table an experiment, and below it the sentences that follow from its figures. Sentences
// are counted, never assumed: other figures give other words. Each text ends with a line break.
#pragma once

#include <string>

#include "adaptive.h"
#include "experiments.h"

namespace tandem::quadratic {

std::string variance_table(const std::vector<VarianceRow>& rows);
std::string convergence_table(const Convergence& c);
std::string rate_tables(const Rates& rates);
std::string adaptive_table(const std::vector<AdaptiveRow>& rows);

}  // namespace tandem::quadratic
