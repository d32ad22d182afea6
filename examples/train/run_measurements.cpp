// What a run measures round single steps: weights inside of cycles (--inner-steps), instruments (--instruments).
#include <algorithm>
#include <utility>

#include "run.h"

namespace tandem::train {

void Run::measure_inner(std::function<Metrics()> measure) {
  if (context_.options.inner_steps == 0) return;
  measure_inner_ = std::move(measure);
  optimizer_->on_sync([this](const SyncEvent& event) {
    if (event.level == 0 && is_inner(event.step)) write_inner(event.step, "fast");
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

/// Of the parameters that are trained, in the model's order; distances are from their values now, before a checkpoint.
void Run::make_instruments() {
  if (context_.options.instruments == 0) return;
  NamedTensors trained;
  for (const NamedTensor& parameter : model_->parameters())
    if (parameter.tensor.requires_grad()) trained.push_back(parameter);
  instruments_.emplace(trained, instrument_options());
}

void Run::begin_instruments(const std::vector<BatchPart>& parts) {
  const auto begin = Clock::now();
  instruments_->before_step(parts);
  epoch_begin_ += Clock::now() - begin;  // measurements are no part of examples a second
}

/// After a step, where before_step() was called.
void Run::end_instruments() {
  if (!instruments_ || !instruments_->is_between()) return;
  const auto begin = Clock::now();
  logs_->instruments(state_.step, instruments_->after_step());
  epoch_begin_ += Clock::now() - begin;
}

}  // namespace tandem::train
