// The part of the report about `quadratic`: its figures, formula as lines and measurement as markers, and the tables
// that belong to them. Read from quadratic.json alone. Not here: measuring (quadratic_experiments.h).
#pragma once

#include <filesystem>
#include <string>

namespace tandem::examples {

/// HTML below the heading. Throws Error naming the file when it is missing or cannot be read.
std::string quadratic_html(const std::filesystem::path& folder);

}  // namespace tandem::examples
