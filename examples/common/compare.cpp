// Comparisons: runs in the order seed by seed, all optimizers of a seed after each other.
#include "compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/optim/rule.h>

#include "comparison_text.h"
#include "interrupt.h"
#include "manifest.h"
#include "program.h"
#include "report.h"
#include "result_table.h"
#include "train.h"

namespace tandem::examples {
namespace {

/// An optimizer of the command line: the rule as written, and as it runs, with the schedule on its leaves.
struct Contestant {
  std::string text;
  Rule rule;
};

std::vector<Contestant> read_optimizers(const Options& options, std::int64_t total_steps) {
  const Schedule schedule = parse_schedule(options.schedule, total_steps);
  std::vector<Contestant> contestants;
  for (const std::string& spec : options.optimizers) {
    const Rule rule = parse_rule(spec, total_steps);
    const bool is_plain = schedule.describe() == "constant";  // a factor of 1 need not be spelled out
    contestants.push_back({rule.describe(), is_plain ? rule : with_schedule(rule, schedule)});
  }
  return contestants;
}

void print_start(const Task& task, const Options& options, const Configuration& configuration,
                 const std::vector<Contestant>& contestants) {
  fmt::print("data       {}\n", task.describe_data());
  fmt::print("model      {}: {} parameters\n", configuration.model, with_commas(configuration.parameters));
  for (const Contestant& contestant : contestants) fmt::print("optimizer  {}\n", contestant.rule.describe());
  fmt::print("seed       {}\n", fmt::join(options.seeds, ", "));
  fmt::print("precision  {}, {} thread{}, {} ({})\n", configuration.precision, configuration.threads,
             configuration.threads == 1 ? "" : "s", instruction_set(), processor_name());
  std::fflush(stdout);
}

/// The table, what follows from it, and the report, all from what stands in the folder.
void end(const std::filesystem::path& folder, const std::vector<RunResult>& results, const std::string& metric) {
  fmt::print("\n{}", result_table(results, metric));
  const std::string differences = difference_table(results, metric), equal = equal_steps_table(read_comparison(folder));
  for (const std::string& text : {differences, equal})
    if (!text.empty()) fmt::print("\n{}", text);
  write_report(folder / "report.html", {folder});
  const std::string base = folder.string();
  fmt::print("\nwritten: {0}/report.html, summary.json, metrics.csv, events.out.tfevents.* and the models:\n", base);
  for (const RunResult& result : results) fmt::print("  {}/{}/model.safetensors\n", base, result.run.name);
}

Metadata model_metadata(const Task& task, const Configuration& configuration, const Run& run) {
  Metadata metadata = {{"format", "pt"},
                       {"program", configuration.program},
                       {"dataset", configuration.dataset},
                       {"data_checksum", task.data_checksum()},
                       {"model", configuration.model},
                       {"optimizer", run.optimizer},
                       {"schedule", configuration.schedule},
                       {"seed", std::to_string(run.seed)}};
  metadata.merge(task.model_metadata());
  return metadata;
}

/// The manifest of a new comparison, or of the one that is resumed. Throws Error when the data are not those of then.
Manifest open_manifest(const Task& task, const Options& options) {
  const std::string checksum = task.data_checksum();
  if (options.resume.empty()) {
    Manifest fresh;
    fresh.program = options.program;
    fresh.arguments = options.arguments;
    fresh.command = options.command;
    fresh.threads = threads();
    fresh.data_checksum = checksum;
    return fresh;
  }
  Manifest manifest = read_manifest(options.resume);
  if (manifest.data_checksum != checksum)
    fail(options.resume.string(), "the training data are not those of this run",
         fmt::format("checksum is {}, was {}", checksum, manifest.data_checksum), "--data says where they lie");
  return manifest;
}

const RunResult* find_finished(const Manifest& manifest, const Run& run) {
  for (const RunResult& result : manifest.finished)
    if (result.run.name == run.name) return &result;
  return nullptr;
}

Configuration configuration_of(Task& task, const Options& options, const Manifest& manifest, std::int64_t total_steps) {
  Configuration c;
  c.program = options.program;
  c.command = manifest.command;
  c.dataset = task.dataset();
  c.data = task.describe_data();
  c.model = task.model();
  c.metric = task.main_metric();
  c.parameters = task.make_model(options.seeds.front())->parameter_count();
  c.batch = options.batch;
  c.schedule = parse_schedule(options.schedule, total_steps).describe();
  c.precision = "f32";
  c.threads = threads();
  return c;
}

/// The runs of a comparison, one after the other, each finished one noted in the manifest.
class Comparison {
 public:
  Comparison(Task& task, const Options& options)
      : task_(task),
        options_(options),
        length_{options.epochs, options.steps},
        contestants_(read_optimizers(options, total_steps())),
        manifest_(open_manifest(task, options)),
        configuration_(configuration_of(task, options, manifest_, total_steps())) {}

  void run() {
    const std::filesystem::path path = !options_.resume.empty() ? options_.resume
                                       : !options_.out.empty()  ? options_.out
                                                                : default_run_folder(options_.program);
    const bool is_resumed = !options_.resume.empty();
    std::unique_ptr<RunFolder> folder =
        is_resumed ? nullptr : std::make_unique<RunFolder>(path);  // a folder that cannot be written ends it here
    print_start(task_, options_, configuration_, contestants_);
    std::vector<RunResult> results;
    const InterruptGuard interrupts;
    const auto all_runs = static_cast<std::int64_t>(contestants_.size() * options_.seeds.size());
    Progress progress(progress_style(options_.quiet),
                      (all_runs - static_cast<std::int64_t>(manifest_.finished.size())) * total_steps());
    for (const std::uint64_t seed : options_.seeds)
      for (std::size_t i = 0; i < contestants_.size(); ++i) {
        const Run run{run_name(i + 1, contestants_[i].text, seed), contestants_[i].text, seed};
        if (const RunResult* finished = find_finished(manifest_, run)) {
          results.push_back(*finished);
          continue;
        }
        Training training(task_, run, contestants_[i].rule, length_, checkpoints_of(run, contestants_[i], path));
        training.reestimate_statistics(options_.reestimate);
        if (!folder) folder = reopen(path, run, training);
        if (!is_resumed && results.empty()) write_manifest(path, manifest_);
        try {
          results.push_back(training.run(model_metadata(task_, configuration_, run), *folder, progress));
        } catch (...) {
          forget_unless_resumable(path, run);
          throw;
        }
        manifest_.finished.push_back(results.back());
        manifest_.position = folder->position();
        folder->save_pictures(task_.input_pictures());
        task_.save_files(path);
        folder->write_summary(configuration_, results);
        write_manifest(path, manifest_);
      }
    end(path, results, task_.main_metric());
  }

 private:
  std::int64_t total_steps() const { return length_.total_steps(task_.steps_per_epoch()); }

  CheckpointOptions checkpoints_of(const Run& run, const Contestant& contestant,
                                   const std::filesystem::path& folder) const {
    return {.every = options_.checkpoint_every,
            .owner = {options_.program, run.name, contestant.rule.describe(), manifest_.data_checksum},
            .resume_command = fmt::format("{} --resume {}", options_.executable, shell_quoted(folder.string()))};
  }

  /// A comparison that failed before there was anything to go on from leaves no manifest.
  void forget_unless_resumable(const std::filesystem::path& folder, const Run& run) const {
    std::error_code ignored;
    if (!manifest_.finished.empty() || std::filesystem::exists(checkpoint_path(folder, run), ignored)) return;
    std::filesystem::remove(manifest_path(folder), ignored);
  }

  /// The folder of an interrupted comparison, its logs cut back to where `training`, the first open run, stands.
  std::unique_ptr<RunFolder> reopen(const std::filesystem::path& path, const Run& run, Training& training) const {
    const std::optional<TrainingState> state = training.resume(path);
    if (state) {
      fmt::print("resume     {} from step {} of {} (epoch {})\n", run.name, state->step, total_steps(),
                 std::min(state->epochs + 1, length_.total_epochs(task_.steps_per_epoch())));
    } else {
      fmt::print("resume     {} from its start: it has no checkpoint\n", run.name);
    }
    std::fflush(stdout);
    return std::make_unique<RunFolder>(path, state ? state->position : manifest_.position);
  }

  Task& task_;
  const Options& options_;
  Length length_;
  std::vector<Contestant> contestants_;
  Manifest manifest_;
  Configuration configuration_;
};

}  // namespace

int compare(Task& task, const Options& options) {
  if (options.threads > 0) set_threads(options.threads);
  Comparison(task, options).run();
  return kExitDone;
}

std::vector<SavedModel> load_saved_models(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  if (std::filesystem::exists(folder / "model.safetensors", error)) paths.push_back(folder / "model.safetensors");
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (std::filesystem::exists(entry.path() / "model.safetensors", error))
      paths.push_back(entry.path() / "model.safetensors");
  if (paths.empty())
    fail(folder.string(), "no model to evaluate", "looked for model.safetensors there and one folder below",
         "--evaluate takes the folder that --out wrote");
  std::sort(paths.begin(), paths.end());
  std::vector<SavedModel> models;
  for (const auto& path : paths)
    models.push_back(
        {path, std::filesystem::weakly_canonical(path).parent_path().filename().string(), load_safetensors(path)});
  return models;
}

std::string metadata_value(const SavedModel& model, const std::string& key) {
  const auto found = model.content.metadata.find(key);
  return found == model.content.metadata.end() ? std::string() : found->second;
}

std::optional<std::uint64_t> saved_checksum(const SavedModel& model) {
  const std::string text = metadata_value(model, "data_checksum");
  std::uint64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return text.empty() || end.ptr != text.data() + text.size() ? std::nullopt : std::optional(value);
}

void load_model(nn::Module& model, const SavedModel& saved, const std::string& name) {
  NamedTensors state;
  for (const NamedArray& entry : saved.content.arrays) state.push_back({entry.name, Tensor(entry.array)});
  try {
    model.load_state_dict(state);
  } catch (const Error& error) {
    fail(saved.path.string(), fmt::format("does not fit {}", name), error.what());
  }
}

void adopt_saved(Options& options, const std::vector<SavedModel>& models) {
  const std::string dataset = metadata_value(models.front(), "dataset"),
                    model = metadata_value(models.front(), "model");
  if (options.dataset.empty()) options.dataset = dataset;
  if (!model.empty()) options.model = model;
}

int evaluate_saved(Task& task, const Options& options, const std::vector<SavedModel>& models) {
  if (options.threads > 0) set_threads(options.threads);
  fmt::print("data       {}\n", task.describe_data());
  const std::shared_ptr<nn::Module> model = task.make_model(0);
  fmt::print("model      {}: {} parameters\n", task.model(), with_commas(model->parameter_count()));
  model->evaluate();
  const NoGradGuard no_grad;
  for (const SavedModel& saved : models) {
    load_model(*model, saved, task.model());
    std::string line = saved.run;
    Metrics metrics = task.evaluate(*model);
    const Metrics at_end = task.evaluate_at_end(*model);
    metrics.insert(metrics.end(), at_end.begin(), at_end.end());
    for (const auto& [name, value] : metrics) line += fmt::format("  {} {:.4f}", name, value);
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }
  return kExitDone;
}

}  // namespace tandem::examples
