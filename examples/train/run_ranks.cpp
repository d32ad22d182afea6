// A run that is divided among ranks: what they agree on, and when. They meet where they exchange numbers anyway, at a
// mean of gradients or a sync, and where all must be alike: evaluations, checkpoints, the ends of epochs.
#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/nn/synchronise.h>

#include "program.h"
#include "run.h"

namespace tandem::train {

/// Ranks that trained on whole batches would all compute the same.
void Run::require_part(const Part& given) const {
  const Part own = part();
  if (given == own) return;
  fail("Run::start", "the batches are not divided among the ranks",
       fmt::format("part {} of {} on rank {} of {}", given.index, given.count, own.index, own.count),
       "give them .part = run.part()");
}

/// The optimizers become one. Each rank draws its own dropout masks.
void Run::begin_among_ranks() {
  Workers& workers = *context_.workers;
  optimizer_->average_over(context_.workers);
  rank_trace_ = RankTrace::of_this_process(context_.workers);
  if (context_.options.sync_batch_norm) nn::synchronise_batch_norm(*model_, context_.workers);
  constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15U;
  for (NamedTensor& state : model_->random_state()) {
    Array words = state.tensor.mutable_value();
    auto* const key = words.write<std::int64_t>();
    *key =
        std::bit_cast<std::int64_t>(std::bit_cast<std::uint64_t>(*key) + kStep * static_cast<unsigned>(workers.rank()));
  }
}

/// Before a step: how many examples all ranks have, where their gradients are averaged.
void Run::begin_step() {
  if (!is_among_ranks() || step_->batches() == 0) return;
  Workers& workers = *context_.workers;
  traffic_before_ = workers.traffic();
  step_begin_ = Clock::now();
  double share = 1;
  if (optimizer_->averages_gradients()) {
    auto examples = static_cast<double>(step_->examples());
    workers.sum(&examples, 1);
    share = static_cast<double>(step_->examples()) * workers.size() / examples;
  }
  // The search for a layer calls the model on one rank alone, which batch norms of all ranks would wait for.
  step_->divide(workers.part(), *optimizer_, share, !context_.options.sync_batch_norm);
}

/// What the step at hand has summed, and waited for.
void Run::note_traffic(StepLine& line) {
  const Traffic& now = context_.workers->traffic();
  line.bytes = now.bytes - traffic_before_.bytes;
  line.waited = now.waited - traffic_before_.waited;
  const auto [begin, end] = step_->last_backward();
  if (rank_trace_) rank_trace_->step(state_.step, step_begin_, begin, end);
}

/// All ranks are at this step and know it: the same answer on each.
bool Run::meets() const {
  const std::int64_t every = context_.options.checkpoint_every;
  return optimizer_->averages_gradients() || has_synced_ || evaluation_due_ || is_epoch_over_ || is_over() ||
         (every > 0 && state_.step % every == 0);
}

/// A signal, or a loss that is not finite, of one rank is of all.
void Run::agree() {
  Workers& workers = *context_.workers;
  const std::vector<std::int64_t> signals = workers.gather(interrupt_signal());
  signal_ = static_cast<int>(*std::max_element(signals.begin(), signals.end()));
  const int knows = bad_loss_.empty() ? 0 : watch_->has_looked() ? 2 : 1;  // 2: which layer it was
  const std::vector<std::int64_t> bad = workers.gather(knows);
  const auto worst = std::max_element(bad.begin(), bad.end());
  if (*worst > 0) diverge(workers.broadcast(bad_loss_, static_cast<int>(worst - bad.begin())));
}

/// Those of rank 0, and the training loss over the examples of all.
void Run::share(Metrics& metrics) const {
  Workers& workers = *context_.workers;
  double sums[] = {state_.epoch.loss, static_cast<double>(state_.epoch.examples)};
  workers.sum(sums, 2);
  for (auto& [name, value] : metrics) {
    if (name == "train_loss") value = sums[1] > 0 ? sums[0] / sums[1] : 0;
    workers.broadcast(&value, sizeof(value), 0);
  }
}

/// Running statistics are each rank's own: an evaluation has their mean. `before` is what training goes on with.
void Run::average_statistics(std::vector<Array>& before) {
  if (!is_among_ranks()) return;
  NamedTensors buffers = model_->buffers();
  if (before.empty())
    for (const NamedTensor& buffer : buffers) before.push_back(buffer.tensor.value().clone());
  const int ranks = context_.workers->size();
  for (NamedTensor& buffer : buffers) {
    if (buffer.tensor.dtype() != DType::f32) continue;
    Array value = buffer.tensor.mutable_value();
    std::vector<double> sum;
    for (const float x : value.to_vector<float>()) sum.push_back(static_cast<double>(x));
    context_.workers->sum(sum.data(), static_cast<std::int64_t>(sum.size()));
    std::vector<float> mean;
    for (const double x : sum) mean.push_back(static_cast<float>(x / ranks));
    value.copy_from(Array::from(mean, value.shape()));
  }
}

}  // namespace tandem::train
