// benchmark: the time and memory of whole training steps, one line of JSON, to be held beside other frameworks that do
// the same work. A step is: clear gradients, forward, loss, backward, optimizer step, and reading the loss as a number.
//   benchmark resnet20 --threads 2 --steps 7
//   benchmark mlp --eager                       without the replay of forward and backward that mlp and mlp_64 have
//   benchmark resnet20 --profile                where the time of a step goes, on standard error
//   benchmark loader --steps 391 --passes 3     what reading and augmenting cost an epoch of training
// Not here: the steps (workloads.h), single kernels (tests/benchmarks).
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include <tandem/tandem.h>

#include <tandem/report/profile.h>
#include <tandem/train/profile_log.h>
#include <tandem/train/program.h>

#include "workloads.h"

using namespace tandem;

namespace {

/// The largest memory of the process so far.
std::int64_t peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

struct Settings {
  std::string workload = {}, precision = "f32", rule = {};
  int threads = 1, steps = 7, passes = 3;
  bool profile = false, eager = false;
};

/// A step, put down as one where a profile is taken.
double step_of(const Workload& workload) {
  profile::set_phase(profile::Phase::forward);
  const double loss = workload.step();
  profile::end_step();
  return loss;
}

int run(const Settings& settings) {
  const std::int64_t baseline = peak_megabytes();
  const Workload workload = make_workload(settings.workload, settings.rule, settings.eager);
  std::optional<train::ProfileLog> profile;
  if (settings.profile) profile.emplace();
  for (int i = 0; i < 2 * workload.steps_a_time; ++i) step_of(workload);
  std::vector<double> times;
  double loss = 0;
  const ProcessorTimes begin = processor_times();
  for (int i = 0; i < settings.steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    for (int j = 0; j < workload.steps_a_time; ++j) loss = step_of(workload);
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    times.push_back(elapsed.count() / workload.steps_a_time);
  }
  const Processors processors = between(begin, processor_times());
  std::sort(times.begin(), times.end());
  if (profile) std::fprintf(stderr, "%s\n", report::profile_text(profile->finish(), "benchmark").c_str());
  nlohmann::ordered_json line;
  line["workload"] = settings.workload;
  line["precision"] = settings.precision;
  line["layout"] = "channels_last";
  line["threads"] = threads();
  line["parameters"] = workload.parameters;
  line["replayed"] = workload.is_replayed;
  line["loss"] = loss;
  line["median_ms"] = times[times.size() / 2];
  line["min_ms"] = times.front();
  line["processors_of_others"] = processors.wall > 0 ? (processors.others + processors.stolen) / processors.wall : 0;
  line["peak_rss_mb"] = peak_megabytes();
  line["baseline_rss_mb"] = baseline;
  std::printf("%s\n", line.dump().c_str());
  return train::kExitDone;
}

/// Steps of resnet20 on CIFAR-10 (else the synthetic set) fed by a Loader that crops, flips and normalises, and the
/// same steps on the same batches already in memory, in turn; the least time of each counts. At most one epoch.
int run_loader(const Settings& settings) {
  using Clock = std::chrono::steady_clock;
  const bool has_files = has_cifar10();
  const Dataset set = has_files ? cifar10().train : synthetic().train;
  Loader loader(set, {.batch = 128, .transform = standard_augmentation(set)});
  const int passes = settings.passes;
  const int steps = static_cast<int>(std::min<std::int64_t>(settings.steps, loader.batches()));
  const std::shared_ptr<nn::Module> model = residual_model({16, 32, 64}, 3);
  Optimizer optimizer(model->parameters(), momentum({.lr = 0.01, .momentum = 0.9}));
  double loss_value = 0;
  const auto train = [&](const Batch& batch) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy((*model)(batch.images), batch.labels);
    loss.backward();
    optimizer.step();
    loss_value = loss.item();
  };
  const auto read = [&](const std::function<void(const Batch&)>& use) {
    loader.start_epoch(0);
    for (int i = 0; i < steps; ++i) use(*loader.next());
  };
  const auto seconds_of = [](const auto& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  std::vector<Batch> batches;
  read([&](const Batch& batch) { batches.push_back(batch); });
  train(batches.front());
  train(batches.back());
  double with_loader = 0, in_memory = 0;
  for (int pass = 0; pass < passes; ++pass) {
    const double fed = seconds_of([&] { read(train); });
    const double held = seconds_of([&] { std::for_each(batches.begin(), batches.end(), train); });
    with_loader = pass == 0 ? fed : std::min(with_loader, fed);
    in_memory = pass == 0 ? held : std::min(in_memory, held);
  }
  nlohmann::ordered_json line;
  line["workload"] = "loader";
  line["precision"] = settings.precision;
  line["layout"] = "channels_last";
  line["threads"] = threads();
  line["dataset"] = set.name;
  line["batch"] = loader.options().batch;
  line["workers"] = loader.options().workers;
  line["steps"] = steps;
  line["passes"] = passes;
  line["loss"] = loss_value;
  line["loader_s"] = with_loader;
  line["memory_s"] = in_memory;
  line["ratio"] = with_loader / in_memory;
  line["peak_rss_mb"] = peak_megabytes();
  std::printf("%s\n", line.dump().c_str());
  return train::kExitDone;
}

int program(int argc, char** argv) {
  std::vector<std::string> names = workload_names();
  names.emplace_back("loader");
  Settings settings{.threads = threads()};
  CLI::App app{"Times whole training steps and prints one line of JSON."};
  app.add_option("workload", settings.workload, "what is trained")->required()->check(CLI::IsMember(names));
  app.add_option("--precision", settings.precision, "of the arithmetic")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->capture_default_str();
  app.add_option("--optimizer", settings.rule, "a rule in place of the workload's own, e.g. \"lion(lr=1e-4)\"");
  app.add_option("--threads", settings.threads, "that compute")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--steps", settings.steps, "that are timed")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--passes", settings.passes, "over the steps of \"loader\", each way")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--eager", settings.eager, "no replay of the smallest networks' passes");
  app.add_flag("--profile", settings.profile, "say on standard error where the time goes");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error), train::kExitDone;
    fail_usage("benchmark", error.what(), {}, "--help lists what there is");
  }
  set_threads(settings.threads);
  const AutocastScope scope = autocast(settings.precision == "bf16" ? DType::bf16 : DType::f32);
  return settings.workload == "loader" ? run_loader(settings) : run(settings);
}

}  // namespace

int main(int argc, char** argv) try { return program(argc, argv); } catch (...) {
  return train::end_by_exception();
}
