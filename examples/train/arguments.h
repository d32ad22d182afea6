// The command line of programs whose options are their own, not those of a training (command_line.h).
// Private to examples.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <string_view>

#include <tandem/core/error.h>
#include <tandem/train/command_line.h>

namespace tandem::train {

/// False when --help was asked for, and has been printed. Throws UsageError in the name of the app.
inline bool parse_arguments(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return false;
  } catch (const CLI::ParseError& error) {
    const std::string& name = app.get_name();
    fail_usage(name, "the command line is wrong", error.what(), fmt::format("{} --help lists the options", name));
  }
  return true;
}

/// Throws UsageError unless least <= value <= most, in which NaN is not.
template <class T>
void check_range(std::string_view option, T number, double least, double most) {
  const auto value = static_cast<double>(number);
  if (!(value >= least && value <= most))
    fail_usage(option, fmt::format("is {}, must be in [{}, {}]", value, least, most));
}

/// The command as a shell takes it.
inline std::string command_text(int argc, char** argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) text += (i > 0 ? " " : "") + shell_quoted(argv[i]);
  return text;
}

}  // namespace tandem::train
