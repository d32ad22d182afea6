// The options that all programs have: their names, help, and the values they may have.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <tandem/core/error.h>

#include "command_line_parser.h"

namespace tandem::train {

void check_choice(const std::string& option, const std::string& value, const std::vector<std::string>& choices) {
  for (const std::string& choice : choices)
    if (value == choice) return;
  const std::string near = nearest_word(value, choices.data(), choices.size());
  fail_usage(option, fmt::format("\"{}\" is not known", value), fmt::format("known are {}", fmt::join(choices, ", ")),
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

void check_within(const std::string& option, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low) fail_usage(option, fmt::format("is {}, must be at least {}", value, low));
  if (value > high) fail_usage(option, fmt::format("is {}, must be at most {}", value, high));
}

void CommandLine::add_shared(const Offers& offers) {
  Options& o = options_;
  CLI::App& app = parser_->app;
  const auto number = [&](const char* name, std::int64_t& value, const char* help, std::int64_t low = 0,
                          std::int64_t high = 1'000'000'000) {
    checks_.push_back({name, [name, &value, low, high] { check_within(name, value, low, high); }});
    return app.add_option(name, value, help)->type_name("N");
  };
  app.add_option("--data", o.data, "Where the data set lies; default: its folder in $TANDEM_DATA, else ~/.cache/tandem")
      ->type_name("PATH");
  if (!offers.datasets.empty()) {
    app.add_option("--dataset", o.dataset, fmt::format("Data set: {}", fmt::join(offers.datasets, ", ")))
        ->type_name("NAME");
    checks_.push_back({"--dataset", [&o, names = offers.datasets] {
                         if (!o.dataset.empty()) check_choice("--dataset", o.dataset, names);
                       }});
  }
  if (std::find(offers.datasets.begin(), offers.datasets.end(), "folder") != offers.datasets.end()) {
    number("--size", o.size, "Side that the pictures of a folder are cropped and resized to; 0: as they are", 0, 4096);
    app.add_flag("--skip-bad-files", o.skip_bad_files, "Leave out images of a folder that cannot be read");
  }
  auto* optimizer = app.add_option("--optimizer", o.optimizers,
                                   "Optimizer, e.g. \"lookahead(adam(lr={1e-3,3e-4}), k=5, alpha=0.5)\"; given several "
                                   "times, and every combination of the lists in braces: compared; name=SPEC names it")
                        ->type_name("SPEC")
                        ->allow_extra_args(false)
                        ->delimiter('\0');
  auto* schedule = app.add_option("--schedule", o.schedule, "Times the lr of every leaf, e.g. \"cosine(warmup=0.05)\"")
                       ->type_name("SPEC");
  if (!offers.models.empty()) {
    app.add_option("--model", o.model, fmt::format("Model: {}", fmt::join(offers.models, ", ")))->type_name("NAME");
    checks_.push_back({"--model", [&o, names = offers.models] { check_choice("--model", o.model, names); }});
  }
  auto* epochs = number("--epochs", o.epochs, "Passes over the training data", 1);
  auto* steps = number("--steps", o.steps, "End each run after N steps; 0: after --epochs", 0, 1'000'000'000'000);
  number("--batch", o.batch, "Examples in a batch", 1, 2'147'483'647);
  app.add_option("--seed", o.seeds, "Seed of weights, batches and augmentation; given several times: repeated")
      ->type_name("N")
      ->allow_extra_args(false);
  app.add_option("--precision", precision_, "Numbers to compute with: f32")->type_name("NAME");
  checks_.push_back({"--precision", [this] {
                       check_choice("--precision", precision_, {"f32", "bf16"});
                       if (precision_ == "bf16")
                         fail_usage("--precision", "bf16 is not offered by this program", {}, "use --precision f32");
                     }});
  app.add_option("--threads", o.threads, "Threads that compute; 0: one a processor")->type_name("N");
  app.add_option("--jobs", o.jobs, "Runs at a time, in processes of their own, each with threads / N")->type_name("N");
  number("--evaluate-every", o.evaluate_every,
         "Steps between evaluations, also at every epoch's end; 0: about twenty a run");
  number("--log-every", o.log_every, "Steps between lines of steps.csv; 0: 1, or more where a run is long");
  number(
      "--instruments", o.instruments,
      "Measure gradient noise, curvature and step quality every N steps, from the first: instruments.jsonl; 0: never");
  number("--checkpoint-every", o.checkpoint_every, "Steps between checkpoints, also at every epoch's end");
  if (offers.inner_steps)
    number(
        "--inner-steps", o.inner_steps,
        "Measure fast and slow weights after each of N steps in the middle of a run: the accuracy inside inner loops");
  if (offers.validation)
    number(
        "--validation", o.validation,
        "Examples held out of the training set: what is watched while training; the test set is measured at the end");
  number("--patience", o.patience,
         "End a run after N evaluations without a better one; the best weights are best.safetensors. 0: never");
  if (offers.batch_norm)
    number("--reestimate", o.reestimate,
           "Before each evaluation, gather batch-norm statistics of the evaluation weights from N training batches; 0: "
           "keep those of the fast weights");
  app.add_option("--init", o.init, "Start from the weights of a model file")->type_name("FILE");
  app.add_flag("--new-head", o.new_head, "With --init: entries of another shape keep their initial values");
  app.add_option("--freeze", o.freeze, "Do not train parameters whose names match, e.g. \"conv1.*\"")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  auto* out =
      app.add_option("--out", o.out, fmt::format("Run folder; default: runs/{}-TIME", o.program))->type_name("DIR");
  app.add_flag("--overwrite", o.overwrite, "Replace the run that lies in --out");
  auto* resume = app.add_option("--resume", o.resume,
                                "Go on from a run folder's checkpoints, exactly; with more --epochs or --steps also a "
                                "run that is finished")
                     ->type_name("DIR");
  resume->excludes(out);
  auto* evaluate =
      app.add_option("--evaluate", o.evaluate, "Only evaluate the models of this run folder")->type_name("DIR");
  for (auto* training_option : {optimizer, schedule, epochs, steps, resume}) evaluate->excludes(training_option);
  if (offers.predict)
    app.add_option("--predict", o.predict, "Apply the model of --init, or those of --evaluate, to these files")
        ->type_name("FILE...");
  app.add_flag("--json", o.json, "With --evaluate or --predict: print one JSON object");
  app.add_flag("--find-lr", o.find_lr, "The loss over a rising lr, as a figure, instead of a training");
  app.set_config("--config", "", "Options from a file: option=value, a line each")->type_name("FILE");
  app.add_flag("--quiet", o.quiet, "No progress");
}

}  // namespace tandem::train
