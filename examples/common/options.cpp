// The command line over CLI11. CLI11 reads; what the values may be is checked here, in our grammar of errors.
#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <tandem/core/error.h>
#include <tandem/optim/rule.h>

#include "manifest.h"

namespace tandem::examples {
namespace {

void check_choice(const std::string& option, const std::string& value, const std::vector<std::string>& choices) {
  for (const std::string& choice : choices)
    if (value == choice) return;
  const std::string near = nearest_word(value, choices.data(), choices.size());
  fail_usage(option, fmt::format("\"{}\" is not known", value), fmt::format("known are {}", fmt::join(choices, ", ")),
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

void check_at_least(const std::string& option, std::int64_t value, std::int64_t least) {
  if (value < least) fail_usage(option, fmt::format("is {}, must be at least {}", value, least));
}

/// The value that an option has by now, given or not, as text; of one that may come several times, all of them.
std::string value_of(CLI::Option& option) {
  if (option.get_expected_max() == 0) return option.count() > 0 ? "given" : "";  // without a value
  option.capture_default_str();
  const std::string text = option.get_default_str();
  const bool is_list = option.get_expected_max() > 1 && text.starts_with('[') && text.ends_with(']');
  return is_list ? text.substr(1, text.size() - 2) : text;
}

/// Misspelt specs are refused before data are read. How many steps a run has is not known yet; any number serves.
void check_specs(const Options& options) {
  constexpr std::int64_t kAnyLength = 1'000'000;
  parse_schedule(options.schedule, kAnyLength);
  for (const std::string& spec : options.optimizers) parse_rule(spec, kAnyLength);
}

}  // namespace

OpenOptions open_options(const Options& options) {
  return {.folder = options.data, .size = options.size, .skip_bad_files = options.skip_bad_files};
}

std::string shell_quoted(const std::string& argument) {
  const std::string plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos) return argument;
  std::string quoted = "'";
  for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

struct CommandLine::Parser {
  CLI::App app;
  explicit Parser(const std::string& description) : app(description) {}
};

CommandLine::CommandLine(const std::string& description, const Options& defaults, const Choices& choices)
    : options_(defaults), defaults_(defaults), choices_(choices), parser_(std::make_unique<Parser>(description)) {
  Options& o = options_;
  CLI::App& app = parser_->app;
  app.name(o.program);
  app.option_defaults()->always_capture_default();
  app.get_formatter()->column_width(28);

  app.add_option("--data", o.data, "Where the data set lies; default: its folder in $TANDEM_DATA, else ~/.cache/tandem")
      ->type_name("DIR");
  if (!choices.datasets.empty())
    app.add_option("--dataset", o.dataset, fmt::format("Data set: {}", fmt::join(choices.datasets, ", ")))
        ->type_name("NAME");
  if (std::find(choices.datasets.begin(), choices.datasets.end(), "folder") != choices.datasets.end()) {
    app.add_option("--size", o.size, "Side that the pictures of a folder are cropped and resized to; 0: as they are")
        ->type_name("N");
    app.add_flag("--skip-bad-files", o.skip_bad_files, "Leave out images of a folder that cannot be read");
  }
  auto* optimizer =
      app.add_option("--optimizer", o.optimizers,
                     "Optimizer, e.g. \"lookahead(adam(lr=3e-4), k=5, alpha=0.5)\"; given several times: compared")
          ->type_name("SPEC")
          ->allow_extra_args(false)
          ->delimiter('\0');
  auto* schedule = app.add_option("--schedule", o.schedule, "Times the lr of every leaf, e.g. \"cosine(warmup=0.05)\"")
                       ->type_name("SPEC");
  if (!choices.models.empty())
    app.add_option("--model", o.model, fmt::format("Model: {}", fmt::join(choices.models, ", ")))->type_name("NAME");
  auto* epochs = app.add_option("--epochs", o.epochs, "Passes over the training data")->type_name("N");
  auto* steps = app.add_option("--steps", o.steps, "End each run after N steps; 0: after --epochs")->type_name("N");
  app.add_option("--batch", o.batch, "Examples in a batch")->type_name("N");
  app.add_option("--seed", o.seeds, "Seed of weights, batches and augmentation; given several times: repeated")
      ->type_name("N")
      ->allow_extra_args(false);
  app.add_option("--precision", precision_, "Numbers to compute with: f32")->type_name("NAME");
  app.add_option("--threads", o.threads, "Threads that compute; 0: one a processor")->type_name("N");
  auto* out =
      app.add_option("--out", o.out, fmt::format("Run folder; default: runs/{}-TIME", o.program))->type_name("DIR");
  if (choices.has_batch_norm)
    app.add_option("--reestimate", o.reestimate,
                   "Before each evaluation, gather batch-norm statistics of the evaluation weights from N training "
                   "batches; 0: keep those of the fast weights")
        ->type_name("N");
  app.add_option("--checkpoint-every", o.checkpoint_every, "Steps between checkpoints, also at every epoch's end")
      ->type_name("N");
  auto* resume =
      app.add_option("--resume", o.resume, "Go on from a run folder's checkpoints, exactly")->type_name("DIR");
  resume->excludes(out);
  auto* evaluate =
      app.add_option("--evaluate", o.evaluate, "Only evaluate the models of this run folder")->type_name("DIR");
  for (auto* training_option : {optimizer, schedule, epochs, steps, out, resume}) evaluate->excludes(training_option);
  app.add_flag("--quiet", o.quiet, "No progress");
}

CommandLine::~CommandLine() = default;

void CommandLine::add(const std::string& name, std::int64_t& value, const std::string& help) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  parser_->app.add_option(name, value, help)->type_name("N");
}

void CommandLine::add(const std::string& name, double& value, const std::string& help) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  parser_->app.add_option(name, value, help)->type_name("X");
}

void CommandLine::add(const std::string& name, std::string& value, const std::string& help,
                      const std::vector<std::string>& choices) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  parser_->app.add_option(name, value, fmt::format("{}: {}", help, fmt::join(choices, ", ")))->type_name("NAME");
  own_choices_.push_back({name, &value, choices});
}

bool CommandLine::is_given(const std::string& name) const { return parser_->app.get_option(name)->count() > 0; }

void CommandLine::add(const std::string& name, std::string& value, const std::string& help) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  parser_->app.add_option(name, value, help)->type_name("TEXT");
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

void CommandLine::refuse(const std::vector<std::string>& names, const std::string& why) const {
  for (const std::string& name : names)
    if (is_given(name)) fail_usage(name, why, {}, "leave it out");
}

bool CommandLine::parse(int argc, char** argv) {
  options_.executable = shell_quoted(argv[0]);
  options_.arguments.assign(argv + 1, argv + argc);
  try {
    read(options_.arguments);
    if (options_.resume.empty())
      finish();
    else
      adopt_resumed();
  } catch (const CLI::CallForHelp&) {
    std::fputs(parser_->app.help().c_str(), stdout);
    return false;
  } catch (const CLI::ParseError& error) {
    fail_usage(options_.program, "the command line is wrong", error.what(),
               fmt::format("{} --help lists the options", options_.program));
  }
  options_.command = options_.executable;
  for (const std::string& argument : options_.arguments) options_.command += " " + shell_quoted(argument);
  check();
  return true;
}

void CommandLine::read(const std::vector<std::string>& arguments) {
  parser_->app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
}

void CommandLine::finish() {
  check_names();
  if (complete_) complete_(options_);
}

void CommandLine::adopt_resumed() {
  CLI::App& app = parser_->app;
  const Options now = options_;
  const std::filesystem::path folder = now.resume;
  const Manifest manifest = read_manifest(folder);
  if (manifest.program != options_.program)
    fail_usage("--resume",
               fmt::format("{} is a run of {}, not of {}", folder.string(), manifest.program, options_.program));
  // Where data lie, how often to save and what to show may differ from the first command line; nothing else.
  const std::set<std::string> may_differ = {"--resume", "--data", "--quiet", "--checkpoint-every"};
  std::map<std::string, std::string> given;
  for (CLI::Option* option : app.get_options())
    if (option->count() > 0) given[option->get_name()] = value_of(*option);

  options_ = defaults_;
  precision_ = "f32";
  for (const auto& restore : restore_) restore();
  app.clear();
  read(manifest.arguments);
  if (given.contains("--data")) options_.data = now.data;
  if (given.contains("--checkpoint-every")) options_.checkpoint_every = now.checkpoint_every;
  options_.quiet = options_.quiet || now.quiet;
  options_.out.clear();
  options_.resume = folder;
  options_.executable = now.executable;
  options_.arguments = manifest.arguments;
  options_.threads = manifest.threads;
  finish();
  for (const auto& [name, value] : given) {
    const std::string first = value_of(*app.get_option(name));
    if (may_differ.contains(name) || value == first) continue;
    fail_usage("--resume", fmt::format("{} is {}, the run has {}", name, value, first.empty() ? "none" : first), {},
               "leave it out");
  }
}

void CommandLine::check_names() const {
  const Options& o = options_;
  if (!choices_.datasets.empty() && !o.dataset.empty()) check_choice("--dataset", o.dataset, choices_.datasets);
  if (!choices_.models.empty()) check_choice("--model", o.model, choices_.models);
  for (const Choice& own : own_choices_) check_choice(own.name, *own.value, own.choices);
  check_choice("--precision", precision_, {"f32", "bf16"});
  if (precision_ == "bf16") fail_usage("--precision", "bf16 is not offered by this program", {}, "use --precision f32");
}

void CommandLine::check() const {
  const Options& o = options_;
  check_at_least("--epochs", o.epochs, 1);
  check_at_least("--steps", o.steps, 0);
  check_at_least("--size", o.size, 0);
  if ((o.size != 0 || o.skip_bad_files) && o.dataset != "folder" && o.evaluate.empty())
    fail_usage(o.size != 0 ? "--size" : "--skip-bad-files", "is for --dataset folder", {}, "leave it out");
  check_at_least("--reestimate", o.reestimate, 0);
  check_at_least("--checkpoint-every", o.checkpoint_every, 0);
  check_at_least("--batch", o.batch, 1);
  check_at_least("--threads", o.threads, 0);
  if (o.threads > 1024) fail_usage("--threads", fmt::format("is {}, must be at most 1024", o.threads));
  const std::set<std::uint64_t> different(o.seeds.begin(), o.seeds.end());
  if (different.size() != o.seeds.size()) fail_usage("--seed", "the same seed is given twice");
  check_specs(o);
}

}  // namespace tandem::examples
