// See json_text.h.
#include "json_text.h"

#include <fmt/format.h>

#include <tandem/core/error.h>

#include "metrics.h"

namespace tandem::report {
namespace {

/// Refuses JSON that nests deeper than any file of ours: a million brackets would exhaust the stack of what reads them.
void check_depth(const std::string& text, const std::string& where) {
  constexpr int kDeepest = 32;
  int depth = 0;
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') is_quoted = !is_quoted;
    if (is_quoted && text[i] == '\\') ++i;
    if (is_quoted) continue;
    depth += text[i] == '[' || text[i] == '{' ? 1 : text[i] == ']' || text[i] == '}' ? -1 : 0;
    if (depth > kDeepest) fail(where, fmt::format("nests deeper than {} levels", kDeepest));
  }
}

}  // namespace

Json parse_json(const std::string& text, const std::string& where) {
  check_depth(text, where);
  return Json::parse(text);
}

double to_number(const Json& json, const std::string& where) {
  if (json.is_null()) return parse_number("nan", where);
  return json.is_string() ? parse_number(json.get<std::string>(), where) : json.get<double>();
}

}  // namespace tandem::report
