// The command line over CLI11. CLI11 reads; what the values may be is checked here, in our grammar of errors.
#include "command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/core/utf8.h>
#include <tandem/optim/rule.h>
#include <tandem/optim/schedule.h>

#include "command_line_parser.h"
#include "jobs.h"
#include "manifest.h"
#include "sweep.h"

namespace tandem::train {
namespace {

using Names = std::set<std::string>;

// Options of all programs that a resumed run may have otherwise than it began with.
const Names kMayDiffer = {"--resume", "--data",  "--quiet",  "--checkpoint-every",
                          "--jobs",   "--steps", "--epochs", "--config"};
// Options that say nothing of what is computed: where things lie, what is shown and kept, what is done instead.
const Names kNotOfExperiment = {"--help",
                                "--config",
                                "--data",
                                "--optimizer",
                                "--seed",
                                "--threads",
                                "--jobs",
                                "--out",
                                "--resume",
                                "--overwrite",
                                "--evaluate",
                                "--predict",
                                "--find-lr",
                                "--quiet",
                                "--json",
                                "--init",
                                "--checkpoint-every",
                                "--log-every",
                                "--evaluate-every",
                                "--instruments",
                                "--skip-bad-files"};
// Options that are no part of a run: each call of the program has its own.
const Names kOfOneCall = {"--help",    "--config",  "--out",   "--resume", "--overwrite", "--evaluate",
                          "--predict", "--find-lr", "--quiet", "--jobs",   "--json"};

bool is_flag(const CLI::Option& option) { return option.get_expected_max() == 0; }
bool is_list(const CLI::Option& option) { return option.get_expected_max() > 1; }

/// The value that an option has by now, given or not, as text; of one that may come several times, all of them.
std::string value_of(CLI::Option& option) {
  if (is_flag(option)) return option.count() > 0 ? "true" : "false";
  const std::string shown = option.get_default_str();  // what --help says may be a sentence
  option.capture_default_str();
  std::string text = option.get_default_str();
  option.default_str(shown);
  return is_list(option) && text.starts_with('[') && text.ends_with(']') ? text.substr(1, text.size() - 2) : text;
}

/// Misspelt specs are refused before data are read. How many steps a run has is not known yet; any number serves.
void check_specs(const Options& options) {
  constexpr std::int64_t kAnyLength = 1'000'000;
  parse_schedule(options.schedule, kAnyLength);
  for (const Contestant& contestant : expand_optimizers(options.optimizers)) {
    const Rule rule = parse_rule(contestant.spec, kAnyLength);
    if (rule.needs_closure())
      fail_usage("--optimizer", "the rule needs the loss at other weights, which the programs do not compute",
                 rule.describe(), "use it in a loop of your own with step(closure)");
  }
}

}  // namespace

std::string shell_quoted(const std::string& argument) {
  const std::string plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos) return argument;
  std::string quoted = "'";
  for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

CommandLine::CommandLine(const std::string& description, const Options& defaults, const Offers& offers)
    : options_(defaults), defaults_(defaults), parser_(std::make_unique<Parser>(description)) {
  CLI::App& app = parser_->app;
  app.name(options_.program);
  app.option_defaults()->always_capture_default();
  app.get_formatter()->column_width(28);
  add_shared(offers);
}

CommandLine::~CommandLine() = default;

void CommandLine::add(const std::string& name, std::int64_t& value, const std::string& help, std::int64_t low,
                      std::int64_t high) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  checks_.push_back({name, [name, &value, low, high] { check_within(name, value, low, high); }});
  parser_->app.add_option(name, value, help)->type_name("N");
}

void CommandLine::add(const std::string& name, double& value, const std::string& help) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  parser_->app.add_option(name, value, help)->type_name("X");
}

void CommandLine::add(const std::string& name, std::string& value, const std::string& help,
                      const std::vector<std::string>& choices) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  checks_.push_back({name, [name, &value, choices] { check_choice(name, value, choices); }});
  parser_->app.add_option(name, value, fmt::format("{}: {}", help, fmt::join(choices, ", ")))->type_name("NAME");
}

void CommandLine::add(const std::string& name, std::string& value, const std::string& help) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  parser_->app.add_option(name, value, help)->type_name("TEXT");
}

void CommandLine::add_path(const std::string& name, std::string& value, const std::string& help) {
  add(name, value, help);
  parser_->app.get_option(name)->type_name("PATH");
  paths_.push_back(name);
}

void CommandLine::add(const std::string& name, bool& value, const std::string& help) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  parser_->app.add_flag(name, value, help);
}

void CommandLine::describe(const std::string& name, const OptionHelp& help) {
  CLI::Option* option = parser_->app.get_option(name);
  if (!help.text.empty()) option->description(help.text);
  if (!help.type.empty()) option->type_name(help.type);
  if (!help.default_value.empty()) option->default_str(help.default_value);
}

bool CommandLine::is_given(const std::string& name) const {
  return std::find(given_.begin(), given_.end(), name) != given_.end();
}

void CommandLine::refuse(const std::vector<std::string>& names, const std::string& why) const {
  for (const std::string& name : names)
    if (is_given(name)) fail_usage(name, why, {}, "leave it out");
}

void CommandLine::refuse_training_options() const {
  refuse({"--optimizer", "--schedule", "--epochs", "--steps", "--evaluate-every", "--log-every", "--instruments",
          "--checkpoint-every", "--patience", "--reestimate", "--freeze", "--find-lr", "--jobs", "--out", "--overwrite",
          "--resume"},
         "is for training");
}

bool CommandLine::is_path(const std::string& name) const {
  return name == "--data" || std::find(paths_.begin(), paths_.end(), name) != paths_.end();
}

bool CommandLine::parse(int argc, char** argv) {
  executable_ = command_ = shell_quoted(argv[0]);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (const std::string& argument : arguments) {
    if (!is_utf8(argument))
      fail_usage(options_.program, "an argument is not UTF-8", shell_quoted(argument),
                 "names in other encodings cannot be kept in a run's files; rename it, or link to it");
    command_ += " " + shell_quoted(argument);
  }
  try {
    read(arguments);
    for (CLI::Option* option : parser_->app.get_options())
      if (option->count() > 0) given_.push_back(option->get_name());
    if (!options_.resume.empty()) {
      adopt(options_.resume, true);
    } else if (!options_.evaluate.empty()) {
      adopt(options_.evaluate, false);
    } else if (complete_) {
      complete_(options_);
    }
  } catch (const CLI::CallForHelp&) {
    std::fputs(parser_->app.help().c_str(), stdout);
    return false;
  } catch (const CLI::ParseError& error) {
    fail_usage(options_.program, "the command line is wrong", error.what(),
               fmt::format("{} --help lists the options", options_.program));
  }
  check();
  if (options_.threads > 0) set_threads(std::max(1, options_.threads / (run_of_this_process() ? 1 : options_.jobs)));
  return true;
}

void CommandLine::read(const std::vector<std::string>& arguments) {
  parser_->app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
}

std::vector<std::pair<std::string, std::string>> CommandLine::resolved() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (CLI::Option* option : parser_->app.get_options()) {
    const std::string name = option->get_name();
    if (!kNotOfExperiment.contains(name) && !is_path(name)) all.emplace_back(name.substr(2), value_of(*option));
  }
  if (!options_.init.empty()) all.emplace_back("init", options_.init.string());
  return all;
}

std::vector<std::string> CommandLine::resolved_arguments() const {
  std::vector<std::string> all;
  for (CLI::Option* option : parser_->app.get_options()) {
    const std::string name = option->get_name();
    if (kOfOneCall.contains(name) || is_list(*option)) continue;
    std::string value = value_of(*option);
    if ((is_path(name) || name == "--init") && !value.empty())
      value = std::filesystem::absolute(value).lexically_normal().string();
    if (is_flag(*option) && value == "true") all.push_back(name);
    if (!is_flag(*option) && !value.empty()) all.push_back(name + "=" + value);
  }
  for (const std::string& spec : options_.optimizers) all.push_back("--optimizer=" + spec);
  for (const std::uint64_t seed : options_.seeds) all.push_back("--seed=" + std::to_string(seed));
  for (const std::string& pattern : options_.freeze) all.push_back("--freeze=" + pattern);
  return all;
}

void CommandLine::adopt(const std::filesystem::path& folder, bool is_resume) {
  CLI::App& app = parser_->app;
  const Options now = options_;
  const char* const option_name = is_resume ? "--resume" : "--evaluate";
  const Manifest manifest = read_manifest(is_resume ? folder : comparison_of(folder));
  if (manifest.program != options_.program)
    fail_usage(option_name,
               fmt::format("{} is a run of {}, not of {}", folder.string(), manifest.program, options_.program));
  std::map<std::string, std::string> given;
  for (CLI::Option* option : app.get_options())
    if (option->count() > 0) given[option->get_name()] = value_of(*option);

  options_ = defaults_;
  precision_ = "f32";
  for (const auto& restore : restore_) restore();
  app.clear();
  // What this call says comes last, so that it holds where the two differ.
  std::vector<std::string> arguments;
  for (const std::string& argument : manifest.arguments) {
    const std::string name = argument.substr(0, argument.find('='));
    if (!given.contains(name)) arguments.push_back(argument);
  }
  std::map<std::string, std::string> first;
  read(manifest.arguments);
  for (CLI::Option* option : app.get_options()) first[option->get_name()] = value_of(*option);
  if (is_resume) {
    for (const auto& [name, value] : given) {
      if (kMayDiffer.contains(name) || is_path(name) || value == first[name]) continue;
      fail_usage("--resume",
                 fmt::format("{} is {}, the run has {}", name, value, first[name].empty() ? "none" : first[name]), {},
                 "leave it out");
    }
  }
  options_ = defaults_;
  for (const auto& restore : restore_) restore();
  app.clear();
  for (const auto& [name, value] : given) {
    const CLI::Option& option = *app.get_option(name);
    const bool is_evaluate = name == "--evaluate";  // which excludes options of training, as the run has them
    if (!is_list(option) && !is_evaluate) arguments.push_back(is_flag(option) ? name : name + "=" + value);
  }
  read(arguments);
  options_.evaluate = now.evaluate;
  options_.seeds = is_resume || now.seeds.empty() || !given.contains("--seed") ? options_.seeds : now.seeds;
  options_.predict = now.predict;
  options_.threads = is_resume ? manifest.threads * std::max(1, now.jobs) : options_.threads;
  if (is_resume && !given.contains("--jobs")) options_.threads = manifest.threads;
}

void CommandLine::check() const {
  const Options& o = options_;
  for (const Check& check : checks_) check.check();
  if ((o.size != 0 || o.skip_bad_files) && o.dataset != "folder" && o.evaluate.empty() && o.predict.empty())
    fail_usage(o.size != 0 ? "--size" : "--skip-bad-files", "is for --dataset folder", {}, "leave it out");
  check_within("--threads", o.threads, 0, 1024);
  check_within("--jobs", o.jobs, 1, 256);
  const std::set<std::uint64_t> different(o.seeds.begin(), o.seeds.end());
  if (different.size() != o.seeds.size()) fail_usage("--seed", "the same seed is given twice");
  if (o.new_head && o.init.empty()) fail_usage("--new-head", "is for --init", {}, "leave it out");
  if (!o.out.empty() && !o.evaluate.empty() && o.predict.empty())
    fail_usage("--out", "--evaluate alone writes nothing", {}, "leave it out");
  if (!o.predict.empty() && o.init.empty() && o.evaluate.empty())
    fail_usage("--predict", "needs a model", {}, "--init names a model file, --evaluate a run folder");
  check_specs(o);
}

}  // namespace tandem::train
