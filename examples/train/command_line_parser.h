// What the two sources of CommandLine share: CLI11, and checks in our grammar of errors.
// Private to examples/train.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "command_line.h"

namespace tandem::train {

struct CommandLine::Parser {
  CLI::App app;
  explicit Parser(const std::string& description) : app(description) {}
};

/// Throws UsageError, with the nearest one, when `value` is none of them.
void check_choice(const std::string& option, const std::string& value, const std::vector<std::string>& choices);
/// Throws UsageError when `value` is not in [low, high].
void check_within(const std::string& option, std::int64_t value, std::int64_t low, std::int64_t high);

}  // namespace tandem::train
