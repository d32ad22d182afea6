// JSON that somebody else may have written. Private to examples/report.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace tandem::report {

using Json = nlohmann::ordered_json;

/// Throws Error naming `where` when it nests deeper than any file of ours; nlohmann's exception when it is no JSON.
Json parse_json(const std::string& text, const std::string& where);

/// A number, or one of the texts that stand for numbers that are not finite; null was not measured.
double to_number(const Json& json, const std::string& where);

}  // namespace tandem::report
