// The training loop. Losses are looked at after every step, so that a run that has gone wrong ends at once.
#include "train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include <tandem/autograd/record.h>
#include <tandem/nn/running_statistics.h>
#include <tandem/optim/optimizer.h>

#include "check_finite.h"
#include "interrupt.h"

namespace tandem::examples {
namespace {

/// What `measure` gives; the model holds its evaluation weights.
Metrics evaluate_model(nn::Module& model, std::int64_t step, const std::function<Metrics(nn::Module&)>& measure) {
  const NoGradGuard no_grad;
  model.evaluate();
  Metrics metrics = measure(model);
  for (const auto& [name, value] : metrics)
    if (!std::isfinite(value)) fail_not_finite(step, name, value, model, [&] { measure(model); });
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

Training::Training(Task& task, const Run& run, const Rule& rule, const Length& length, const CheckpointOptions& options)
    : task_(task),
      run_(run),
      length_(length),
      options_(options),
      model_(task.make_model(run.seed)),
      optimizer_(model_->parameters(), rule) {}

std::optional<TrainingState> Training::resume(const std::filesystem::path& folder) {
  const std::filesystem::path path = checkpoint_path(folder, run_);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  state_ = load_training_state(path, options_.owner, *model_, optimizer_);
  return state_;
}

RunResult Training::run(const Metadata& metadata, RunFolder& folder, Progress& progress) {
  const std::int64_t per_epoch = task_.steps_per_epoch();
  const std::int64_t total = length_.total_steps(per_epoch), epochs = length_.total_epochs(per_epoch);
  watch_.restart(state_.seconds);
  progress.start_run(run_.name, epochs, total, state_.step);
  while (state_.epochs < epochs) {
    progress.start_epoch(state_.epochs + 1);
    train_epoch(total, folder, progress);
    end_epoch(state_.epochs + 1 == epochs, metadata, folder, progress);
    optimizer_.report(value_of(state_.final_metrics, "test_loss"));  // what a plateau schedule waits on
    save(folder);
    stop_if_interrupted();
  }
  RunResult result;
  result.run = run_;
  result.epochs = state_.epochs;
  result.steps = state_.step;
  result.seconds = state_.seconds;
  result.examples_per_second = state_.all.examples_per_second();
  result.final_metrics = state_.final_metrics;
  result.best_metrics = state_.best_metrics;
  return result;
}

void Training::train_epoch(std::int64_t total, RunFolder& folder, Progress& progress) {
  Trained& epoch = state_.epoch;
  const double before = epoch.seconds;
  const Stopwatch watch;
  // A checkpoint may stand after the last batch, before the evaluation.
  if (state_.batches < task_.steps_per_epoch()) task_.start_epoch(run_.seed, state_.epochs, state_.batches);
  if (!state_.carried.empty()) task_.set_carried(std::exchange(state_.carried, {}));
  model_->train();
  while (state_.step < total && state_.batches < task_.steps_per_epoch() && task_.next_batch()) {
    const Tensor loss = task_.loss(*model_);
    const double value = loss.item();
    ++state_.step;
    if (!std::isfinite(value)) fail_not_finite(state_.step, "train_loss", value, *model_, [&] { task_.loss(*model_); });
    optimizer_.zero_grad();
    loss.backward();
    optimizer_.step();
    ++state_.batches;
    epoch.loss += value * static_cast<double>(task_.examples());
    epoch.examples += task_.examples();
    epoch.seconds = before + watch.seconds();
    progress.step(epoch.mean_loss(), epoch.examples_per_second());
    const bool is_due = options_.every > 0 && state_.step % options_.every == 0;
    if (is_due || InterruptGuard::is_interrupted()) save(folder);
    stop_if_interrupted();
  }
}

void Training::end_epoch(bool is_last, const Metadata& metadata, RunFolder& folder, Progress& progress) {
  const auto evaluation = optimizer_.evaluation_weights();
  std::vector<Array> gathered;  // by training, with the fast weights
  if (reestimate_ > 0) {
    for (const NamedTensor& buffer : model_->buffers()) gathered.push_back(buffer.tensor.value().clone());
    nn::reestimate_running_statistics(*model_, [&] { task_.run_training_batches(*model_, run_.seed, reestimate_); });
  }
  state_.final_metrics = evaluate_model(*model_, state_.step, [&](nn::Module& m) { return task_.evaluate(m); });
  state_.final_metrics.insert(state_.final_metrics.begin(), {"train_loss", state_.epoch.mean_loss()});
  keep_best(state_.best_metrics, state_.final_metrics);
  const Trained trained = std::exchange(state_.epoch, {});
  state_.all.seconds += trained.seconds;
  state_.all.examples += trained.examples;
  state_.batches = 0;
  ++state_.epochs;
  folder.add_epoch(run_, state_.epochs, state_.step, state_.final_metrics);
  if (is_last) {
    const Metrics at_end =
        evaluate_model(*model_, state_.step, [&](nn::Module& m) { return task_.evaluate_at_end(m); });
    state_.final_metrics.insert(state_.final_metrics.end(), at_end.begin(), at_end.end());
    keep_best(state_.best_metrics, at_end);
    folder.save_model(run_, *model_, metadata);
    const NoGradGuard no_grad;
    folder.save_pictures(run_, task_.pictures(*model_));
  }
  NamedTensors buffers = model_->buffers();
  for (std::size_t i = 0; i < gathered.size(); ++i) buffers[i].tensor.mutable_value().copy_from(gathered[i]);
  progress.end_epoch(state_.final_metrics, task_.main_metric(), trained.examples_per_second(), watch_.seconds());
}

void Training::save(RunFolder& folder) {
  state_.seconds = watch_.seconds();
  state_.position = folder.position();
  folder.make_run_folder(run_);
  state_.carried = state_.batches > 0 ? task_.carried() : NamedArrays{};
  save_training_state(checkpoint_path(folder.path(), run_), options_.owner, state_, *model_, optimizer_);
  state_.carried.clear();
}

void Training::stop_if_interrupted() const {
  if (InterruptGuard::is_interrupted())
    throw Interrupted(fmt::format("interrupted after step {} of {}, saved; go on with: {}", state_.step, run_.name,
                                  options_.resume_command));
}

}  // namespace tandem::examples
