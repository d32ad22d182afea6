// What a run measures: evaluations of the evaluation weights, and of all weights within cycles.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <tandem/core/error.h>
#include <tandem/nn/running_statistics.h>

#include "run.h"

namespace tandem::train {

EvaluationScope::EvaluationScope(Run& run)
    : run_(run), weights_(run.optimizer_->evaluation_weights()), behaviour_(*run.model_) {
  run_.is_evaluating_ = true;
  evaluation_begin_ = Run::Clock::now();
  if (run_.context_.options.reestimate > 0 && run_.gather_) {
    for (const NamedTensor& buffer : run_.model_->buffers()) statistics_.push_back(buffer.tensor.value().clone());
    nn::reestimate_running_statistics(*run_.model_, run_.gather_);
  }
  run_.average_statistics(statistics_);
  run_.model_->evaluate();
}

EvaluationScope::~EvaluationScope() {
  NamedTensors buffers = run_.model_->buffers();
  for (std::size_t i = 0; i < statistics_.size(); ++i) buffers[i].tensor.mutable_value().copy_from(statistics_[i]);
  run_.is_evaluating_ = false;
  run_.epoch_begin_ += Run::Clock::now() - evaluation_begin_;  // evaluations are no part of examples a second
}

void Run::record(const Metrics& metrics) {
  evaluation_due_ = false;
  evaluated_step_ = state_.step;
  state_.last = metrics;
  state_.last.insert(state_.last.begin(), {"train_loss", state_.epoch.mean_loss()});
  if (is_among_ranks()) share(state_.last);
  const double epoch = static_cast<double>(state_.epochs) +
                       static_cast<double>(state_.batches) / static_cast<double>(batches_per_epoch_);
  logs_->evaluation(state_.step, epoch, state_.last);
  const Experiment& e = context_.manifest.experiment;
  for (const std::string& name : {watched_metric(e), e.metric}) {
    const double value = report::value_of(state_.last, name);
    if (!std::isnan(value)) continue;
    if (std::none_of(metrics.begin(), metrics.end(), [&](const auto& m) { return m.first == name; }))
      fail("run.record", fmt::format("the metric \"{}\" is missing", name), "it is what the runs are compared by");
    diverge(fmt::format("{} is nan: {}", name, watch_->finding()));
    return;
  }
  report::keep_best(state_.best, state_.last);
  ++state_.evaluations;
  const std::string watched = watched_metric(e);
  const double value = report::value_of(state_.last, watched);
  if (state_.evaluations == 1 || report::is_better(watched, value, state_.best_watched)) {
    state_.best_watched = value;
    state_.evaluations_since_best = 0;
    if (context_.options.validation > 0 || context_.options.patience > 0) save_model_file("best.safetensors");
  } else {
    ++state_.evaluations_since_best;
    is_stopped_ = context_.options.patience > 0 && state_.evaluations_since_best >= context_.options.patience;
  }
}

void Run::measure_inner(std::function<Metrics()> measure) {
  if (context_.options.inner_steps == 0) return;
  measure_inner_ = std::move(measure);
  watch_syncs();
}

/// Looks at the last fast weights of a cycle, before the pull.
void Run::watch_syncs() {
  optimizer_->on_sync([this](const SyncEvent& event) {
    if (event.level != 0) return;
    if (is_inner(event.step)) write_inner(event.step, "fast");
    if (trace_ && trace_->keeps(event.step)) trace_->keep(model_->state_dict(), event.step, true);
  });
}

/// Of the steps in the middle of the run.
bool Run::is_inner(std::int64_t step) const {
  const std::int64_t first = std::max<std::int64_t>(0, (total_steps() - context_.options.inner_steps) / 2);
  return measure_inner_ && step > first && step <= first + context_.options.inner_steps;
}

void Run::write_inner(std::int64_t step, const char* weights) {
  const auto begin = Clock::now();
  const nn::BehaviourScope behaviour(*model_);
  const NoGradGuard no_grad;
  model_->evaluate();
  logs_->inner(step, weights, measure_inner_());
  epoch_begin_ += Clock::now() - begin;
}

void Run::record_final(const Metrics& measured) {
  Metrics metrics = measured;
  if (is_among_ranks()) share(metrics);
  result_.final.insert(result_.final.end(), metrics.begin(), metrics.end());
  report::keep_best(result_.best, metrics);
}

/// Of the parameters that are trained, in the model's order; distances are from their values now, before a checkpoint.
void Run::make_instruments() {
  if (context_.options.instruments == 0) return;
  NamedTensors trained;
  for (const NamedTensor& parameter : model_->parameters())
    if (parameter.tensor.requires_grad()) trained.push_back(parameter);
  instruments_.emplace(trained, instrument_options());
}

void Run::begin_instruments(const std::vector<BatchPart>& parts) {
  const profile::PhaseScope phase(profile::Phase::instruments);
  const auto begin = Clock::now();
  instruments_->before_step(parts);
  epoch_begin_ += Clock::now() - begin;  // measurements are no part of examples a second
}

/// After a step, where before_step() was called.
void Run::end_instruments() {
  if (!instruments_ || !instruments_->is_between()) return;
  const profile::PhaseScope phase(profile::Phase::instruments);
  const auto begin = Clock::now();
  logs_->instruments(state_.step, instruments_->after_step());
  epoch_begin_ += Clock::now() - begin;
}

}  // namespace tandem::train
