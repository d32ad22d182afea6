// Options of a run that is there already: resumed, evaluated, forked, or done in a process of its own.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include <tandem/core/error.h>

#include "command_line_parser.h"
#include "fork.h"
#include "jobs.h"
#include "replay.h"
#include "run_folder.h"

namespace tandem::train {
namespace {

// A resumed run may have them otherwise than it began with.
constexpr Names kMayDiffer = " --checkpoint-every --config --data --epochs --jobs --profile --quiet --resume --steps ";
// A fork may have them otherwise than the run that it begins with, too.
constexpr Names kOfFork =
    " --evaluate-every --fork --inner-steps --log-every --optimizer --out --overwrite --patience --reestimate "
    "--schedule --threads ";

}  // namespace

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
  // What this call says comes last, so that it holds where the two differ; lists are those of the run.
  const auto replaces = [&](const std::string& argument) {
    const std::string name = argument.substr(0, argument.find('='));
    return given.contains(name) && !is_list(*parser_->get_option(name));
  };
  std::vector<std::string> arguments;
  for (const std::string& argument : manifest.arguments)
    if (!replaces(argument)) arguments.push_back(argument);
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

std::map<std::string, std::string> CommandLine::values(bool is_given_only) const {
  std::map<std::string, std::string> all;
  for (CLI::Option* option : parser_->get_options())
    if (!is_given_only || option->count() > 0) all[option->get_name()] = value_of(*option);
  return all;
}

/// The options of the run that --fork names, but for its optimizer where others are given.
void CommandLine::adopt_fork() {
  const Options now = options_;
  ForkPoint fork = parse_fork(now.fork);
  const RunReference run = find_run(fork.run, "--fork");
  if (run.manifest.program != options_.program)
    fail_usage("--fork", fmt::format("{} is a run of {}, not of {}", now.fork, run.manifest.program, options_.program));
  fork.run = run.path();
  if (!fork.step) {
    const auto last = nearest_beginning(run, std::numeric_limits<std::int64_t>::max());
    if (!last) fail_usage("--fork", fmt::format("{} has no checkpoint yet", run.path().string()));
    fork.step = last->step;
  }
  const std::map<std::string, std::string> given = values(true);
  reset();
  read(run.manifest.arguments);
  std::map<std::string, std::string> first = values(false);
  first["--seed"] = std::to_string(run.planned().seed);
  std::vector<std::string> specs = now.optimizers;
  if (!given.contains("--optimizer")) {
    specs.clear();
    for (const Contestant& c : expand_optimizers(options_.optimizers))
      if (c.label == run.planned().label) specs.push_back(c.name.empty() ? c.spec : c.name + "=" + c.spec);
  }
  for (const auto& [name, value] : given)
    if (!is_in(kMayDiffer, name) && !is_in(kOfFork, name) && !is_path(name) && value != first[name])
      fail_usage("--fork",
                 fmt::format("{} is {}, the run has {}", name, value, first[name].empty() ? "none" : first[name]), {},
                 "leave it out");
  reset();
  std::vector<std::string> arguments;
  for (const std::string& argument : run.manifest.arguments) {
    const std::string name = argument.substr(0, argument.find('='));
    const bool is_other = name == "--optimizer" || name == "--seed" || name == "--init" || name == "--new-head" ||
                          name == "--fork" || name == "--threads" || given.contains(name);
    if (!is_other || name == "--freeze") arguments.push_back(argument);
  }
  for (const auto& [name, value] : given) {
    const CLI::Option& option = *parser_->get_option(name);
    if (!is_list(option) && name != "--fork") arguments.push_back(is_flag(option) ? name : name + "=" + value);
  }
  for (const std::string& spec : specs) arguments.push_back("--optimizer=" + spec);
  arguments.push_back(fmt::format("--seed={}", run.planned().seed));
  arguments.push_back(fmt::format("--fork={}@{}", fork.run.string(), *fork.step));
  read(arguments);
  if (!given.contains("--threads")) options_.threads = run.manifest.threads * options_.jobs;
}

}  // namespace tandem::train
