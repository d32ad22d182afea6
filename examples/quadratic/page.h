// The page of a result: report.html, its tables and figures as data for examples/report. Sentences are counted from the
// figures, never assumed. Read next: page_noise.cpp, page_speed.cpp.
#pragma once

#include <string>

#include "files.h"

namespace tandem::quadratic {

/// The whole HTML file.
std::string page_of(const Findings& findings);

}  // namespace tandem::quadratic
