// Cuts specs at their parentheses and commas, and labels them by what differs. See rule_labels.h.
#include <tandem/optim/rule_labels.h>

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <tandem/optim/rule.h>

namespace tandem {
namespace {

struct Argument {
  std::string path, text;
};

/// "lookahead(momentum(lr=0.1), k=5)": its rules "lookahead(momentum)" and its arguments with their full paths.
struct Parts {
  std::string rules;
  std::vector<Argument> arguments;
};

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\n"), end = text.find_last_not_of(" \t\n");
  return begin == std::string_view::npos ? std::string() : std::string(text.substr(begin, end - begin + 1));
}

/// Cuts at top-level commas.
std::vector<std::string> split_arguments(std::string_view text) {
  std::vector<std::string> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size()) depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (i < text.size() && !(text[i] == ',' && depth == 0)) continue;
    if (std::string part = trimmed(text.substr(begin, i - begin)); !part.empty()) parts.push_back(std::move(part));
    begin = i + 1;
  }
  return parts;
}

Parts parts_of(const std::string& spec, const std::string& path, const std::vector<std::string>& names) {
  const std::size_t open = spec.find('(');
  if (open == std::string::npos || spec.back() != ')') return {spec, {}};
  Parts parts{trimmed(spec.substr(0, open)), {}};
  std::vector<std::string> inner;
  std::vector<Argument> of_inner;
  for (const std::string& argument : split_arguments(std::string_view(spec).substr(open + 1, spec.size() - open - 2))) {
    const std::size_t equals = argument.find('='), call = argument.find('(');
    if (equals < call) {
      parts.arguments.push_back({path + trimmed(argument.substr(0, equals)), trimmed(argument.substr(equals + 1))});
    } else if (call == std::string::npos && !std::binary_search(names.begin(), names.end(), argument)) {
      parts.arguments.push_back({path + argument, "true"});
    } else {
      const Parts nested = parts_of(argument, path + (inner.empty() ? "inner/" : "outer/"), names);
      inner.push_back(nested.rules);
      of_inner.insert(of_inner.end(), nested.arguments.begin(), nested.arguments.end());
    }
  }
  if (!inner.empty()) parts.rules += fmt::format("({})", fmt::join(inner, ", "));
  parts.arguments.insert(parts.arguments.begin(), of_inner.begin(), of_inner.end());
  return parts;
}

std::string without_inner(std::string path) {
  for (std::size_t at = 0; (at = path.find("inner/", at)) != std::string::npos;) path.erase(at, 6);
  return path;
}

/// Full paths to short ones, which are unique among `paths`.
std::map<std::string, std::string> short_paths(const std::set<std::string>& paths) {
  std::map<std::string, int> uses;
  for (const std::string& path : paths) ++uses[without_inner(path)];
  std::map<std::string, std::string> all;
  for (const std::string& path : paths) all[path] = uses[without_inner(path)] == 1 ? without_inner(path) : path;
  return all;
}

const std::string* find(const Parts& parts, const std::string& path) {
  for (const Argument& argument : parts.arguments) {
    if (argument.path == path) return &argument.text;
  }
  return nullptr;
}

/// The arguments of each that not all have alike, "k=5 alpha=0.2".
std::vector<std::string> differences(const std::vector<Parts>& same_rules) {
  std::set<std::string> paths;
  for (const Parts& parts : same_rules) {
    for (const Argument& argument : parts.arguments) paths.insert(argument.path);
  }
  const auto names = short_paths(paths);
  std::vector<std::string> labels;
  for (const Parts& parts : same_rules) {
    std::vector<std::string> shown;
    for (const auto& [path, text] : parts.arguments) {
      const bool is_common =
          std::all_of(same_rules.begin(), same_rules.end(), [&, &p = path, &t = text](const Parts& o) {
            const std::string* other = find(o, p);
            return other != nullptr && *other == t;
          });
      if (!is_common) shown.push_back(text == "true" ? names.at(path) : fmt::format("{}={}", names.at(path), text));
    }
    labels.push_back(fmt::format("{}", fmt::join(shown, " ")));
  }
  return labels;
}

}  // namespace

std::map<std::string, std::string> rule_arguments(std::string_view spec) {
  const Parts parts = parts_of(trimmed(spec), "", rule_names());
  std::set<std::string> paths;
  for (const Argument& argument : parts.arguments) paths.insert(argument.path);
  const auto names = short_paths(paths);
  std::map<std::string, std::string> all = {{"rule", parts.rules}};
  for (const Argument& argument : parts.arguments) all[names.at(argument.path)] = argument.text;
  return all;
}

std::vector<std::string> distinguishing_labels(const std::vector<std::string>& specs) {
  const std::vector<std::string> names = rule_names();
  std::map<std::string, std::vector<std::size_t>> by_rules;
  std::vector<Parts> parts;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    parts.push_back(parts_of(trimmed(specs[i]), "", names));
    by_rules[parts.back().rules].push_back(i);
  }
  std::vector<std::string> labels(specs.size());
  for (const auto& [rules, members] : by_rules) {
    std::vector<Parts> same_rules;
    for (const std::size_t i : members) same_rules.push_back(parts[i]);
    const std::vector<std::string> shown = differences(same_rules);
    const bool is_bare = by_rules.size() == 1 && std::find(shown.begin(), shown.end(), "") == shown.end();
    for (std::size_t i = 0; i < members.size(); ++i) {
      labels[members[i]] = is_bare ? shown[i] : shown[i].empty() ? rules : rules + " " + shown[i];
    }
  }
  std::set<std::string> taken;
  for (std::string& label : labels) {
    const std::string base = label;
    for (int copy = 2; !taken.insert(label).second; ++copy) label = fmt::format("{} ({})", base, copy);
  }
  return labels;
}

}  // namespace tandem
