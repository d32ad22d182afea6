// The report: run folders as one HTML file that loads nothing and needs no script. Every program writes one for its own
// folder; the program `report` makes one of several. Parts: report_comparison.h, report_quadratic.h.
#pragma once

#include <filesystem>
#include <vector>

namespace tandem::examples {

/// The report of these run folders. Folders of one experiment (belong_together in comparison_record.h) share a table.
/// Throws Error naming the folder that holds no results, or the file that cannot be read.
std::string report_html(const std::vector<std::filesystem::path>& folders);

/// Writes report_html to `path`, whole or not at all.
void write_report(const std::filesystem::path& path, const std::vector<std::filesystem::path>& folders);

}  // namespace tandem::examples
