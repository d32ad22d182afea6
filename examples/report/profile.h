// profile.json of a run (--profile) shown: as text, and as a section of the page. Its form: train/profile_log.h;
// nothing in it is trusted. Not here: what is taken down, and the sentences on it (train/profile_findings.cpp).
//
// Private to examples/report and examples/train.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "comparison.h"
#include "page.h"
#include "table.h"

namespace tandem::report {

/// Where the time went: by phase, by op, and by layer and op, the longest `rows` of each. Throws Error naming `where`
/// when the text is not such a file.
std::vector<Table> profile_tables(const std::string& text, const std::string& where, std::size_t rows);

/// The tables, and the sentences after them.
std::string profile_text(const std::string& text, const std::string& where);

/// A section with the profiles of a comparison, of each contender's first run that has one; null when none has.
Json profile_section(const Comparison& comparison);

}  // namespace tandem::report
