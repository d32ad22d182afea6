// The options that all programs have: their names, help, and the values they may have, checked in our grammar of
// errors.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include <tandem/core/error.h>
#include <tandem/optim/rule_labels.h>
#include <tandem/optim/sweep.h>

#include "arguments.h"
#include "command_line_parser.h"

namespace tandem::train {
namespace {

void check_choice(const std::string& option, const std::string& value, const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  const std::string near = nearest_word(value, choices.data(), choices.size());
  fail_usage(option, fmt::format("\"{}\" is not known", value), fmt::format("known are {}", fmt::join(choices, ", ")),
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

void check_within(const std::string& option, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low) fail_usage(option, fmt::format("is {}, must be at least {}", value, low));
  if (value > high) fail_usage(option, fmt::format("is {}, must be at most {}", value, high));
}

}  // namespace

template <class T>
void CommandLine::add_value(const std::string& name, T& value, const std::string& help, const char* type) {
  restore_.emplace_back([&value, initial = value] { value = initial; });
  if constexpr (std::is_same_v<T, bool>)
    parser_->add_flag(name, value, help);
  else
    parser_->add_option(name, value, help)->type_name(type);
}

void CommandLine::add(const std::string& name, std::int64_t& value, const std::string& help, std::int64_t low,
                      std::int64_t high) {
  add_value(name, value, help, "N");
  checks_.emplace_back([name, &value, low, high] { check_within(name, value, low, high); });
}
void CommandLine::add(const std::string& name, std::string& value, const std::string& help,
                      const std::vector<std::string>& choices) {
  add_value(name, value, fmt::format("{}: {}", help, fmt::join(choices, ", ")), "NAME");
  checks_.emplace_back([name, &value, choices] { check_choice(name, value, choices); });
}
void CommandLine::add(const std::string& name, double& value, const std::string& help) {
  add_value(name, value, help, "X");
}
void CommandLine::add(const std::string& name, std::string& value, const std::string& help) {
  add_value(name, value, help, "TEXT");
}
void CommandLine::add(const std::string& name, bool& value, const std::string& help) {
  add_value(name, value, help, "");
}
void CommandLine::add_path(const std::string& name, std::string& value, const std::string& help) {
  add_value(name, value, help, "PATH");
  paths_.push_back(name);
}

void CommandLine::describe(const std::string& name, const OptionHelp& help) {
  CLI::Option* option = parser_->get_option(name);
  if (!help.text.empty()) option->description(help.text);
  if (!help.type.empty()) option->type_name(help.type);
  if (!help.default_value.empty()) option->default_str(help.default_value);
}

void CommandLine::add_shared(const Offers& offers) {
  Options& o = options_;
  const auto typed = [&](const char* name, auto& value, const char* type, const std::string& help) {
    return parser_->add_option(name, value, help)->type_name(type);
  };
  const bool has_folders = std::count(offers.datasets.begin(), offers.datasets.end(), "folder") > 0;
  typed("--data", o.data, "PATH", "Where the data set lies; default: its folder in $TANDEM_DATA, else ~/.cache/tandem");
  if (!offers.datasets.empty()) {
    typed("--dataset", o.dataset, "NAME", fmt::format("Data set: {}", fmt::join(offers.datasets, ", ")));
    checks_.emplace_back([&o, names = offers.datasets] {
      if (!o.dataset.empty()) check_choice("--dataset", o.dataset, names);
    });
  }
  if (has_folders) {
    add("--size", o.size, "Side that the pictures of a folder are cropped and resized to; 0: as they are", 0, 4096);
    add("--skip-bad-files", o.skip_bad_files, "Leave out images of a folder that cannot be read");
  }
  typed("--optimizer", o.optimizers, "SPEC",
        "Optimizer, e.g. \"lookahead(adam(lr={1e-3,3e-4}), k=5, alpha=0.5)\"; given several times, and every "
        "combination of the lists in braces: compared; name=SPEC names it")
      ->allow_extra_args(false)
      ->delimiter('\0');
  typed("--schedule", o.schedule, "SPEC", "Times the lr of every leaf, e.g. \"cosine(warmup=0.05)\"");
  if (!offers.models.empty()) add("--model", o.model, "Model", offers.models);
  add("--epochs", o.epochs, "Passes over the training data", 1);
  add("--steps", o.steps, "End each run after N steps; 0: after --epochs", 0, 1'000'000'000'000);
  add("--batch", o.batch, "Examples in a batch", 1, std::numeric_limits<std::int32_t>::max());
  add("--accumulate", o.accumulate, "Batches a step: its loss is the mean over their examples", 1, 1'000'000);
  typed("--seed", o.seeds, "N", "Seed of weights, batches and augmentation; given several times: repeated")
      ->allow_extra_args(false)
      ->check(not_negative());
  add("--precision", o.precision, "What products are computed in; weights, statistics and losses are f32",
      {"f32", "bf16"});
  add("--threads", o.threads, "Threads that compute; 0: one a processor", 0, 1024);
  add("--jobs", o.jobs, "Runs at a time, in processes of their own, each with threads / N", 1, 256);
  add("--evaluate-every", o.evaluate_every,
      "Steps between evaluations, also at every epoch's end; 0: about twenty a run");
  add("--log-every", o.log_every, "Steps between lines of steps.csv; 0: 1, or more where a run is long");
  add("--instruments", o.instruments,
      "Measure gradient noise, curvature and step quality every N steps, from the first: instruments.jsonl; 0: never");
  add("--profile", o.profile,
      "Say where the time goes, by layer and op, and what is unusual: a table, profile.json, trace.json for Perfetto");
  add("--checkpoint-every", o.checkpoint_every, "Steps between checkpoints, also at every epoch's end");
  add("--inner-steps", o.inner_steps,
      "Measure fast and slow weights after each of N steps in the middle of a run: the accuracy inside inner loops");
  if (offers.validation)
    add("--validation", o.validation,
        "Examples held out of the training set: what is watched while training; the test set is measured at the end");
  add("--patience", o.patience,
      "End a run after N evaluations without a better one; the best weights are best.safetensors. 0: never");
  if (offers.batch_norm) {
    add("--sync-batch-norm", o.sync_batch_norm, "With mpirun: batch norm has the statistics of all ranks' batches");
    add("--reestimate", o.reestimate,
        "Before each evaluation, gather batch-norm statistics of the evaluation weights from N training batches; 0: "
        "keep those of the fast weights");
  }
  typed("--init", o.init, "FILE", "Start from the weights of a model file");
  add("--new-head", o.new_head, "With --init: entries of another shape keep their initial values");
  typed("--freeze", o.freeze, "PATTERN", "Do not train parameters whose names match, e.g. \"conv1.*\"")
      ->allow_extra_args(false);
  typed("--out", o.out, "DIR", fmt::format("Run folder; default: runs/{}-TIME", o.program));
  add("--overwrite", o.overwrite, "Replace the run that lies in --out");
  typed("--resume", o.resume, "DIR",
        "Go on from a run folder's checkpoints, exactly; with more --epochs or --steps also a run that is finished")
      ->excludes("--out");
  CLI::Option* const fork =
      typed("--fork", o.fork, "RUN[@STEP]",
            "Start every --optimizer (default: the run's own) from the state of a run, OUT/NAME, after a step");
  fork->excludes("--init");
  CLI::Option* const evaluate = typed("--evaluate", o.evaluate, "DIR", "Only evaluate the models of this run folder");
  for (const char* training : {"--optimizer", "--schedule", "--epochs", "--steps", "--resume", "--fork"})
    evaluate->excludes(training);
  if (offers.predict)
    typed("--predict", o.predict, "FILE...", "Apply the model of --init, or those of --evaluate, to these files");
  add("--json", o.json, "With --evaluate or --predict: print one JSON object");
  add("--find-lr", o.find_lr, "The loss over a rising lr, as a figure, instead of a training");
  parser_->set_config("--config", "", "Options from a file: option=value, a line each")->type_name("FILE");
  add("--quiet", o.quiet, "No progress");
}

std::vector<Contestant> expand_optimizers(const std::vector<std::string>& specs) {
  std::vector<Contestant> all;
  for (const std::string& spec : specs) {
    const std::vector<SweepPoint> points = expand_sweep(spec);
    for (const SweepPoint& point : points) {
      std::string label = point.name;
      if (!label.empty() && points.size() > 1)
        for (const auto& [axis, value] : point.choices) label += fmt::format(" {}={}", axis, value);
      all.push_back({point.spec, point.name, label, point.choices});
    }
  }
  if (all.empty()) fail_usage("--optimizer", "there is none");
  std::vector<std::string> unnamed;
  for (const Contestant& c : all)
    if (c.label.empty()) unnamed.push_back(c.spec);
  const std::vector<std::string> labels = distinguishing_labels(unnamed);
  std::size_t next = 0;
  for (Contestant& c : all)
    if (c.label.empty()) c.label = labels[next++];
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      if (all[i].label == all[j].label)
        fail_usage("--optimizer", fmt::format("two have the same name \"{}\"", all[i].label),
                   fmt::format("{} and {}", all[j].spec, all[i].spec), "name one: NAME=SPEC");
      if (all[i].spec == all[j].spec) fail_usage("--optimizer", "the same one is given twice", all[i].spec);
    }
  return all;
}

std::vector<report::SweepAxis> sweep_axes(const std::vector<Contestant>& contestants) {
  std::vector<report::SweepAxis> axes;
  for (const Contestant& contestant : contestants) {
    for (const auto& [name, value] : contestant.choices) {
      auto axis = std::find_if(axes.begin(), axes.end(),
                               [&, &axis_name = name](const report::SweepAxis& a) { return a.name == axis_name; });
      if (axis == axes.end()) axis = axes.insert(axes.end(), {name, {}});
      if (std::find(axis->values.begin(), axis->values.end(), value) == axis->values.end())
        axis->values.push_back(value);
    }
  }
  return axes;
}

std::string run_name(const std::string& label, std::uint64_t seed) {
  std::string name;
  for (const char c : label) {
    const bool is_plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("=._+").find(c) != std::string_view::npos;
    if (is_plain || (c == '-' && !name.empty())) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  if (name.empty() || name.front() == '.') name = "run-" + name;
  constexpr std::size_t kLongest = 200;  // names of files end at 255 bytes
  if (name.size() > kLongest) name.resize(kLongest);
  return fmt::format("{}-seed{}", name, seed);
}

}  // namespace tandem::train
