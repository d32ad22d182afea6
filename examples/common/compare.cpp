// Comparisons: runs in the order seed by seed, all optimizers of a seed after each other.
#include "compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/optim/rule.h>

#include "program.h"
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
    contestants.push_back({rule.describe(), with_schedule(rule, schedule)});
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

void print_end(const std::filesystem::path& folder, const std::vector<RunResult>& results, const std::string& metric) {
  fmt::print("\n{}\n", result_table(results, metric));
  const std::string base = folder.string();
  fmt::print("written: {0}/summary.json, {0}/metrics.csv, {0}/events.out.tfevents.* and the models:\n", base);
  for (const RunResult& result : results) fmt::print("  {}/{}/model.safetensors\n", base, result.run.name);
}

Metadata model_metadata(const Configuration& configuration, const Run& run) {
  return {{"format", "pt"},
          {"program", configuration.program},
          {"dataset", configuration.dataset},
          {"model", configuration.model},
          {"optimizer", run.optimizer},
          {"schedule", configuration.schedule},
          {"seed", std::to_string(run.seed)}};
}

std::string metadata_value(const SavedModel& model, const std::string& key) {
  const auto found = model.content.metadata.find(key);
  return found == model.content.metadata.end() ? std::string() : found->second;
}

}  // namespace

int compare(Task& task, const Options& options) {
  if (options.threads > 0) set_threads(options.threads);
  const Length length{options.epochs, options.steps};
  const std::int64_t total_steps = length.total_steps(task.steps_per_epoch());
  const std::vector<Contestant> contestants = read_optimizers(options, total_steps);

  Configuration configuration;
  configuration.program = options.program;
  configuration.command = options.command;
  configuration.dataset = task.dataset();
  configuration.model = task.model();
  configuration.parameters = task.make_model(options.seeds.front())->parameter_count();
  configuration.batch = options.batch;
  configuration.schedule = parse_schedule(options.schedule, total_steps).describe();
  configuration.precision = "f32";
  configuration.threads = threads();

  RunFolder folder(options.out.empty() ? default_run_folder(options.program) : options.out);
  print_start(task, options, configuration, contestants);
  std::vector<RunResult> results;
  {
    const auto runs = static_cast<std::int64_t>(contestants.size() * options.seeds.size());
    Progress progress(progress_style(options.quiet), runs * total_steps);
    for (const std::uint64_t seed : options.seeds)
      for (std::size_t i = 0; i < contestants.size(); ++i) {
        const Run run{run_name(i + 1, contestants[i].text, seed), contestants[i].text, seed};
        results.push_back(
            train(task, run, contestants[i].rule, length, model_metadata(configuration, run), folder, progress));
        folder.write_summary(configuration, results);
      }
  }
  print_end(folder.path(), results, task.main_metric());
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
    models.push_back({path, std::filesystem::absolute(path).parent_path().filename().string(), load_safetensors(path)});
  return models;
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
    NamedTensors state;
    for (const NamedArray& entry : saved.content.arrays) state.push_back({entry.name, Tensor(entry.array)});
    try {
      model->load_state_dict(state);
    } catch (const Error& error) {
      fail(saved.path.string(), fmt::format("does not fit {}", task.model()), error.what());
    }
    std::string line = saved.run;
    for (const auto& [name, value] : task.evaluate(*model)) line += fmt::format("  {} {:.4f}", name, value);
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }
  return kExitDone;
}

}  // namespace tandem::examples
