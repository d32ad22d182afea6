// Short names of optimizers (comparison_record.h): specs are cut at their parentheses and commas, no more is read.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "comparison_record.h"

namespace tandem::examples {
namespace {

/// "lookahead(momentum(lr=0.1, momentum=0.9), k=5)": its rules "lookahead(momentum)" and its arguments, in order.
struct Parts {
  std::string rules;
  std::vector<std::string> arguments;
};

/// Cuts at top-level commas.
std::vector<std::string> split_arguments(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0)
      parts.emplace_back();
    else if (c != ' ' || !parts.back().empty())
      parts.back() += c;
  }
  return parts;
}

Parts parts_of(const std::string& spec) {
  const std::size_t open = spec.find('(');
  if (open == std::string::npos || spec.back() != ')') return {spec, {}};
  Parts parts{spec.substr(0, open), {}};
  std::string inner;
  for (const std::string& argument : split_arguments(spec.substr(open + 1, spec.size() - open - 2))) {
    const bool is_rule = argument.find('(') < argument.find('=');
    if (!is_rule) {
      if (!argument.empty()) parts.arguments.push_back(argument);
      continue;
    }
    const Parts nested = parts_of(argument);
    inner += (inner.empty() ? "" : ", ") + nested.rules;
    parts.arguments.insert(parts.arguments.end(), nested.arguments.begin(), nested.arguments.end());
  }
  if (!inner.empty()) parts.rules += "(" + inner + ")";
  return parts;
}

/// Rules, and the arguments that not all of these have.
std::string with_differences(const Parts& parts, const std::vector<Parts>& same_rules) {
  std::string name = parts.rules;
  for (const std::string& argument : parts.arguments) {
    const bool all_have = std::all_of(same_rules.begin(), same_rules.end(), [&](const Parts& other) {
      return std::find(other.arguments.begin(), other.arguments.end(), argument) != other.arguments.end();
    });
    if (!all_have) name += " " + argument;
  }
  return name;
}

}  // namespace

std::vector<std::string> short_names(const std::vector<std::string>& specs) {
  std::vector<Parts> parts;
  for (const std::string& spec : specs) parts.push_back(parts_of(spec));
  const auto outermost = [&](std::size_t i) { return parts[i].rules.substr(0, parts[i].rules.find('(')); };

  std::map<std::string, int> by_outermost, by_rules;
  for (std::size_t i = 0; i < specs.size(); ++i) ++by_outermost[outermost(i)], ++by_rules[parts[i].rules];
  std::vector<std::string> names;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (by_outermost[outermost(i)] == 1) {
      names.push_back(outermost(i));
    } else if (by_rules[parts[i].rules] == 1) {
      names.push_back(parts[i].rules);
    } else {
      std::vector<Parts> same_rules;
      std::copy_if(parts.begin(), parts.end(), std::back_inserter(same_rules),
                   [&](const Parts& other) { return other.rules == parts[i].rules; });
      names.push_back(with_differences(parts[i], same_rules));
    }
  }
  std::map<std::string, int> uses;
  for (const std::string& name : names) ++uses[name];
  for (std::size_t i = 0; i < names.size(); ++i)
    if (uses[names[i]] > 1) names[i] = specs[i];
  std::set<std::string> taken;
  for (std::string& name : names) {
    const std::string base = name;
    for (int copy = 2; !taken.insert(name).second; ++copy) name = fmt::format("{} ({})", base, copy);
  }
  return names;
}

}  // namespace tandem::examples
