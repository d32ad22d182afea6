// The report of run folders: report.html. Not here: its parts (page_data.h), its page (page.h).
#pragma once

#include <filesystem>
#include <vector>

namespace tandem::report {

/// Reads run folders and writes one page about them: a section for each experiment among them. Throws Error naming a
/// folder that is none, that has no run to show, or a file that cannot be written.
void write_report(const std::filesystem::path& path, const std::vector<std::filesystem::path>& folders);

}  // namespace tandem::report
