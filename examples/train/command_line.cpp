// The command line read, over CLI11; a run's options as its manifest keeps them. The options themselves:
// shared_options.cpp; those of a run that is there already: adopted_options.cpp.
#include "arguments.h"
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
#include "ranks.h"
#include "run_folder.h"

namespace tandem::train {
namespace {

// What options of all programs are to a run. They say nothing of what is computed: where things lie, what is shown and
// kept, what is done instead.
constexpr Names kAside =
    " --checkpoint-every --config --data --evaluate --evaluate-every --find-lr --fork --help --init --instruments "
    "--jobs "
    "--json "
    "--log-every --optimizer --out --overwrite --predict --profile --quiet --resume --seed --skip-bad-files --threads ";
// No part of a run: each call of the program has its own.
constexpr Names kOfCall =
    " --config --evaluate --find-lr --help --jobs --json --out --overwrite --predict --profile --quiet --resume ";
// Without effect where nothing is trained.
constexpr Names kOfTraining =
    " --accumulate --checkpoint-every --epochs --evaluate-every --find-lr --fork --freeze --inner-steps --instruments "
    "--jobs --log-every --optimizer --out --overwrite --patience --profile --reestimate --resume --schedule --steps ";

/// Misspelt specs are refused before data are read, and two that mean the same. How many steps a run has is not known
/// yet; any number serves.
void check_specs(const Options& options) {
  constexpr std::int64_t kAnyLength = 1'000'000;
  parse_schedule(options.schedule, kAnyLength);
  std::map<std::string, std::string> spec_of;
  for (const Contestant& contestant : expand_optimizers(options.optimizers)) {
    const auto [first, is_new] = spec_of.emplace(parse_rule(contestant.spec, kAnyLength).describe(), contestant.spec);
    if (!is_new)
      fail_usage("--optimizer", "two are the same rule", fmt::format("{} and {}", first->second, contestant.spec),
                 "leave one out; --seed repeats a run");
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
  silence_other_ranks();
  parser_->name(options_.program);
  parser_->option_defaults()->always_capture_default();
  set_help_format(*parser_);
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
    } else if (!options_.fork.empty()) {
      adopt_fork();
    } else if (complete_) {
      complete_(options_);
    }
  } catch (const CLI::CallForHelp&) {
    std::fputs(parser_->help().c_str(), stdout);
    return false;
  } catch (const CLI::ParseError& error) {
    fail_arguments(*parser_, error, options_.program);
  }
  check();
  first_init_ = options_.init.empty() ? options_.init : std::filesystem::absolute(options_.init).lexically_normal();
  if (!options_.resume.empty() && !options_.init.empty()) options_.init = options_.resume / kInitFile;
  if (options_.threads > 0)
    set_threads(
        static_cast<int>(std::max<std::int64_t>(1, options_.threads / (run_of_this_process() ? 1 : options_.jobs))));
  precision_.emplace(options_.precision == "bf16" ? DType::bf16 : DType::f32);
  return true;
}

void CommandLine::read(const std::vector<std::string>& arguments) {
  parser_->parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
}

void CommandLine::reset() {
  options_ = defaults_;
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
  if (!options_.fork.empty()) all.emplace_back("fork", options_.fork);
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

void CommandLine::check() const {
  const Options& o = options_;
  for (const auto& check : checks_) check();
  if ((o.size != 0 || o.skip_bad_files) && o.dataset != "folder" && o.evaluate.empty() && o.predict.empty())
    fail_usage(o.size != 0 ? "--size" : "--skip-bad-files", "is for --dataset folder", {}, "leave it out");
  const std::set<std::uint64_t> different(o.seeds.begin(), o.seeds.end());
  if (different.size() != o.seeds.size()) fail_usage("--seed", "the same seed is given twice");
  if (o.json && o.evaluate.empty() && o.predict.empty())
    fail_usage("--json", "is for models that are trained already: --evaluate, --init with --predict", {},
               "leave it out");
  if (o.new_head && o.init.empty()) fail_usage("--new-head", "is for --init", {}, "leave it out");
  if (!o.out.empty() && !o.evaluate.empty() && o.predict.empty())
    fail_usage("--out", "--evaluate alone writes nothing", {}, "leave it out");
  if (!o.predict.empty() && o.init.empty() && o.evaluate.empty())
    fail_usage("--predict", "needs a model", {}, "--init names a model file, --evaluate a run folder");
  check_specs(o);
}

}  // namespace tandem::train
