// The page: one HTML file that needs nothing else, made of data. Its data, a title and sections of tables, figures and
// pictures, are described in README.md; tables, lists and pictures become HTML here, figures are drawn by page.js on
// D3. Not here: the data of run folders (page_data.h).
// Private to examples/report.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "table.h"

namespace tandem::report {

using Json = nlohmann::ordered_json;

/// The whole file. Throws Error "report: ..." when the data are not of the form that README.md describes.
std::string report_page(const Json& data);

/// A table as it stands in the data, and back.
Json to_json(const Table& table);
Table to_table(const Json& json);

/// A number in the data: null for NaN, "inf" and "-inf"; others with six digits, as many as a figure can show.
Json to_json(double value);

}  // namespace tandem::report
