// CLI11 behind CommandLine, for its sources.
// Private to examples/train.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "command_line.h"

namespace tandem::train {

struct CommandLine::Parser : CLI::App {
  using CLI::App::App;
};

/// Names of options, between spaces.
using Names = std::string_view;
inline bool is_in(Names names, const std::string& name) { return names.find(" " + name + " ") != Names::npos; }

inline bool is_flag(const CLI::Option& option) { return option.get_expected_max() == 0; }
inline bool is_list(const CLI::Option& option) { return option.get_expected_max() > 1; }

/// The value that an option has by now, given or not, as text; of one that may come several times, all of them.
inline std::string value_of(CLI::Option& option) {
  if (is_flag(option)) return option.count() > 0 ? "true" : "false";
  const std::string shown = option.get_default_str();  // what --help says may be a sentence
  option.capture_default_str();
  std::string text = option.get_default_str();
  option.default_str(shown);
  return is_list(option) && text.starts_with('[') && text.ends_with(']') ? text.substr(1, text.size() - 2) : text;
}

}  // namespace tandem::train
