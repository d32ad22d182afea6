// The command line read, over CLI11; a run's options as its manifest keeps them, and back. The options themselves:
// shared_options.cpp.
#include "command_line_parser.h"

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

#include "jobs.h"
#include "run_folder.h"

namespace tandem::train {
namespace {

// What options of all programs are to a run; names between spaces.
using Names = std::string_view;
// A resumed run may have them otherwise than it began with.
constexpr Names kMayDiffer = " --checkpoint-every --config --data --epochs --jobs --quiet --resume --steps ";
// They say nothing of what is computed: where things lie, what is shown and kept, what is done instead.
constexpr Names kAside =
    " --checkpoint-every --config --data --evaluate --evaluate-every --find-lr --help --init --instruments --jobs "
    "--json "
    "--log-every --optimizer --out --overwrite --predict --quiet --resume --seed --skip-bad-files --threads ";
// No part of a run: each call of the program has its own.
constexpr Names kOfCall =
    " --config --evaluate --find-lr --help --jobs --json --out --overwrite --predict --quiet --resume ";
// Without effect where nothing is trained.
constexpr Names kOfTraining =
    " --accumulate --checkpoint-every --epochs --evaluate-every --find-lr --freeze --inner-steps --instruments --jobs "
    "--log-every --optimizer --out --overwrite --patience --reestimate --resume --schedule --steps ";

bool is_in(Names names, const std::string& name) { return names.find(" " + name + " ") != Names::npos; }

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
  for (const Contestant& contestant : expand_optimizers(options.optimizers)) parse_rule(contestant.spec, kAnyLength);
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
  parser_->name(options_.program);
  parser_->option_defaults()->always_capture_default();
  parser_->get_formatter()->column_width(28);
  add_shared(offers);
}

CommandLine::~CommandLine() = default;

bool CommandLine::is_given(const std::string& name) const {
  return std::find(given_.begin(), given_.end(), name) != given_.end();
}

void CommandLine::refuse(const std::vector<std::string>& names, const std::string& why) const {
  for (const std::string& name : names)
    if (is_given(name)) fail_usage(name, why, {}, "leave it out");
}

void CommandLine::refuse_training_options() const {
  for (const std::string& name : given_)
    if (is_in(kOfTraining, name)) fail_usage(name, "is for training", {}, "leave it out");
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
    for (CLI::Option* option : parser_->get_options())
      if (option->count() > 0) given_.push_back(option->get_name());
    if (!options_.resume.empty()) {
      adopt(options_.resume, true);
    } else if (!options_.evaluate.empty()) {
      adopt(options_.evaluate, false);
    } else if (complete_) {
      complete_(options_);
    }
  } catch (const CLI::CallForHelp&) {
    std::fputs(parser_->help().c_str(), stdout);
    return false;
  } catch (const CLI::ParseError& error) {
    fail_usage(options_.program, "the command line is wrong", error.what(),
               fmt::format("{} --help lists the options", options_.program));
  }
  check();
  first_init_ = options_.init.empty() ? options_.init : std::filesystem::absolute(options_.init).lexically_normal();
  if (!options_.resume.empty() && !options_.init.empty()) options_.init = options_.resume / kInitFile;
  if (options_.threads > 0)
    set_threads(
        static_cast<int>(std::max<std::int64_t>(1, options_.threads / (run_of_this_process() ? 1 : options_.jobs))));
  return true;
}

void CommandLine::read(const std::vector<std::string>& arguments) {
  parser_->parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
}

void CommandLine::reset() {
  options_ = defaults_;
  precision_ = "f32";
  for (const auto& restore : restore_) restore();
  parser_->clear();
}

std::vector<std::pair<std::string, std::string>> CommandLine::resolved() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (CLI::Option* option : parser_->get_options()) {
    const std::string name = option->get_name();
    if (!is_in(kAside, name) && !is_path(name)) all.emplace_back(name.substr(2), value_of(*option));
  }
  if (!first_init_.empty()) all.emplace_back("init", first_init_.string());
  return all;
}

std::vector<std::string> CommandLine::resolved_arguments() const {
  std::vector<std::string> all;
  for (CLI::Option* option : parser_->get_options()) {
    const std::string name = option->get_name();
    if (is_in(kOfCall, name) || is_list(*option)) continue;
    std::string value = name == "--init" ? first_init_.string() : value_of(*option);
    if (is_path(name) && !value.empty()) value = std::filesystem::absolute(value).lexically_normal().string();
    if (is_flag(*option) && value == "true") all.push_back(name);
    if (!is_flag(*option) && !value.empty()) all.push_back(name + "=" + value);
  }
  for (const std::string& spec : options_.optimizers) all.push_back("--optimizer=" + spec);
  for (const std::uint64_t seed : options_.seeds) all.push_back("--seed=" + std::to_string(seed));
  for (const std::string& pattern : options_.freeze) all.push_back("--freeze=" + pattern);
  return all;
}

std::vector<std::string> CommandLine::arguments_of_jobs() const {
  std::vector<std::string> all;
  for (const std::string& name : given_) {
    const bool is_again = is_in(kMayDiffer, name) || is_path(name) || name == "--find-lr";
    if (!is_again || name == "--resume" || name == "--jobs" || name == "--config") continue;
    CLI::Option& option = *parser_->get_option(name);
    all.push_back(is_flag(option) ? name : name + "=" + value_of(option));
  }
  return all;
}

void CommandLine::adopt(const std::filesystem::path& folder, bool is_resume) {
  const Options now = options_;
  const Manifest manifest = read_manifest(is_resume ? folder : comparison_of(folder));
  if (manifest.program != options_.program)
    fail_usage(is_resume ? "--resume" : "--evaluate",
               fmt::format("{} is a run of {}, not of {}", folder.string(), manifest.program, options_.program));
  const auto values = [&](bool is_given_only) {
    std::map<std::string, std::string> all;
    for (CLI::Option* option : parser_->get_options())
      if (!is_given_only || option->count() > 0) all[option->get_name()] = value_of(*option);
    return all;
  };
  const std::map<std::string, std::string> given = values(true);
  reset();
  read(manifest.arguments);
  std::map<std::string, std::string> first = values(false);
  for (const auto& [name, value] : given) {
    if (!is_resume || is_in(kMayDiffer, name) || is_path(name) || value == first[name]) continue;
    if (name == "--find-lr" && run_of_this_process()) continue;
    fail_usage("--resume",
               fmt::format("{} is {}, the run has {}", name, value, first[name].empty() ? "none" : first[name]), {},
               "leave it out");
  }
  reset();
  // What this call says comes last, so that it holds where the two differ.
  std::vector<std::string> arguments;
  for (const std::string& argument : manifest.arguments)
    if (!given.contains(argument.substr(0, argument.find('=')))) arguments.push_back(argument);
  for (const auto& [name, value] : given) {
    const CLI::Option& option = *parser_->get_option(name);
    const bool is_evaluate = name == "--evaluate";  // which excludes options of training, as the run has them
    if (!is_list(option) && !is_evaluate) arguments.push_back(is_flag(option) ? name : name + "=" + value);
  }
  read(arguments);
  options_.evaluate = now.evaluate;
  options_.predict = now.predict;
  if (given.contains("--seed") && !is_resume) options_.seeds = now.seeds;
  if (is_resume) options_.threads = manifest.threads * std::max<std::int64_t>(1, now.jobs);
}

void CommandLine::check() const {
  const Options& o = options_;
  for (const auto& check : checks_) check();
  if ((o.size != 0 || o.skip_bad_files) && o.dataset != "folder" && o.evaluate.empty() && o.predict.empty())
    fail_usage(o.size != 0 ? "--size" : "--skip-bad-files", "is for --dataset folder", {}, "leave it out");
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
