// What `landscape` leaves behind beside landscape.json: numbers as CSV, the page. Each file is written whole or not at
// all. Not here: what stands in the page (page.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "page.h"

namespace tandem::landscape {

/// grid.csv, path.csv, landscape.json with every result, report.html; what was needed for measuring goes.
void write_result(const std::filesystem::path& folder, const Survey& survey);

/// landscape.json first, which says whose the folder is, then walks.csv and report.html.
void write_walks(const std::filesystem::path& folder, const std::vector<SurfaceWalks>& all, const std::string& command);

}  // namespace tandem::landscape
