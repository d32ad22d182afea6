// The training loop. Losses are looked at after every step, so that a run that has gone wrong ends at once.
#include "train.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <tandem/autograd/record.h>
#include <tandem/optim/optimizer.h>

#include "check_finite.h"

namespace tandem::examples {
namespace {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

/// Sums of training: of an epoch for train_loss, of a run for examples a second.
struct Trained {
  double loss = 0, seconds = 0;
  std::int64_t examples = 0;

  double mean_loss() const { return loss / static_cast<double>(examples); }
  double examples_per_second(double running = 0) const { return static_cast<double>(examples) / (seconds + running); }
};

/// One epoch, or the part of it before step `end`.
Trained train_epoch(Task& task, nn::Module& model, Optimizer& optimizer, std::int64_t& step, std::int64_t end,
                    Progress& progress) {
  Trained epoch;
  const Stopwatch watch;
  model.train();
  while (step < end && task.next_batch()) {
    const Tensor loss = task.loss(model);
    const double value = loss.item();
    ++step;
    if (!std::isfinite(value)) fail_not_finite(step, "train_loss", value, model, [&] { task.loss(model); });
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    epoch.loss += value * static_cast<double>(task.examples());
    epoch.examples += task.examples();
    progress.step(epoch.mean_loss(), epoch.examples_per_second(watch.seconds()));
  }
  epoch.seconds = watch.seconds();
  return epoch;
}

/// All metrics; the model holds its evaluation weights.
Metrics evaluate_model(Task& task, nn::Module& model, std::int64_t step) {
  const NoGradGuard no_grad;
  model.evaluate();
  Metrics metrics = task.evaluate(model);
  for (const auto& [name, value] : metrics)
    if (!std::isfinite(value)) fail_not_finite(step, name, value, model, [&] { task.evaluate(model); });
  return metrics;
}

}  // namespace

std::int64_t Length::total_steps(std::int64_t steps_per_epoch) const {
  const std::int64_t all = epochs * steps_per_epoch;
  return steps > 0 ? std::min(steps, all) : all;
}

std::int64_t Length::total_epochs(std::int64_t steps_per_epoch) const {
  return (total_steps(steps_per_epoch) + steps_per_epoch - 1) / steps_per_epoch;
}

RunResult train(Task& task, const Run& run, const Rule& rule, const Length& length, const Metadata& metadata,
                RunFolder& folder, Progress& progress) {
  const Stopwatch watch;
  const std::int64_t total = length.total_steps(task.steps_per_epoch());
  const std::int64_t epochs = length.total_epochs(task.steps_per_epoch());
  const std::shared_ptr<nn::Module> model = task.make_model(run.seed);
  Optimizer optimizer(model->parameters(), rule);

  RunResult result;
  result.run = run;
  Trained all;
  progress.start_run(run.name, epochs, total);
  for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
    progress.start_epoch(epoch);
    task.start_epoch(run.seed, epoch - 1);
    const Trained trained = train_epoch(task, *model, optimizer, result.steps, total, progress);
    all.seconds += trained.seconds;
    all.examples += trained.examples;

    const auto evaluation = optimizer.evaluation_weights();
    result.final_metrics = evaluate_model(task, *model, result.steps);
    result.final_metrics.insert(result.final_metrics.begin(), {"train_loss", trained.mean_loss()});
    keep_best(result.best_metrics, result.final_metrics);
    result.epochs = epoch;
    folder.add_epoch(run, epoch, result.steps, result.final_metrics);
    progress.end_epoch(result.final_metrics, task.main_metric(), trained.examples_per_second(), watch.seconds());
    if (epoch == epochs) folder.save_model(run, *model, metadata);
  }
  result.seconds = watch.seconds();
  result.examples_per_second = all.examples_per_second();
  return result;
}

}  // namespace tandem::examples
