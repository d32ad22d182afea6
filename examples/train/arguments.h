// The command line of programs whose options are their own, not those of a training (command_line.h).
// Private to examples.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/core/error.h>
#include "command_line.h"

namespace tandem::train {

/// Options in --help as "--name TYPE=default ... Excludes: --other", whichever version of CLI11 is there.
class HelpFormat : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (option->get_type_size() != 0) {
      const std::string value = option->get_default_str();
      const bool is_list_of_one = value.starts_with("[") && value.find(',') == value.npos;
      if (!option->get_type_name().empty()) text += " " + option->get_type_name();
      if (!value.empty()) text += "=" + (is_list_of_one ? value.substr(1, value.size() - 2) : value);
      if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += " ...";
      if (option->get_required()) text += " REQUIRED";
    }
    if (!option->get_excludes().empty()) text += " Excludes:";
    for (const CLI::Option* other : option->get_excludes()) text += " " + other->get_name();
    return text;
  }
};

inline void set_help_format(CLI::App& app) {
  const auto format = std::make_shared<HelpFormat>();
  format->column_width(28);
  app.formatter(format);
}

/// What is wrong with a command line, as UsageError; an option that there is not with the one that is nearest.
[[noreturn]] inline void fail_arguments(const CLI::App& app, const CLI::ParseError& error, const std::string& program) {
  const std::string help = fmt::format("{} --help lists the options", program);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr)
    fail_usage(program, "the command line is wrong", error.what(), help);
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) known.push_back(option->get_name());
  for (const std::string& word : app.remaining()) {
    const std::string name = word.substr(0, word.find('='));
    if (!name.starts_with("-")) continue;
    const std::string nearest = nearest_word(name, known.data(), known.size());
    fail_usage(program, fmt::format("there is no option {}", name), {},
               nearest.empty() ? help : fmt::format("did you mean {}?", nearest));
  }
  fail_usage(program, "an argument belongs to no option", shell_quoted(app.remaining().front()), help);
}

/// Whole numbers are read as they wrap: -1 would become 2^64 - 1.
inline CLI::Validator not_negative() {
  return CLI::Validator(
      [](const std::string& text) { return text.starts_with("-") ? text + " is negative" : std::string(); }, "");
}

/// False when --help was asked for, and has been printed. Throws UsageError in the name of the app.
inline bool parse_arguments(CLI::App& app, int argc, char** argv) {
  set_help_format(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return false;
  } catch (const CLI::ParseError& error) {
    fail_arguments(app, error, app.get_name());
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
