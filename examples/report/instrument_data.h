// The cockpit of a comparison: a section of the page with what the instruments measured, by step, by bin and by
// parameter, runs side by side. Its form: README.md. Private to examples/report.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "comparison.h"
#include "page.h"

namespace tandem::report {

/// Null when no run has instruments.jsonl.
Json instrument_section(const Comparison& comparison);

}  // namespace tandem::report
