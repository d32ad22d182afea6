// StepBatches: the batches of one step, --accumulate of them, and the mean of their losses. N batches give the gradient
// that one batch N times as large would, for models whose examples do not see each other (batch norm's do). At an
// epoch's end a step has the batches that are left. Not here: where batches come from, and when (run.h).
//
//   loss = sum_b examples_b loss_b / sum_b examples_b,   of losses that are means over the examples of their batch
//
// With several ranks the sums below go over all of them, and the mean of the ranks' losses is the step's.
// A loop over the batches begins the mean anew, so that a rule may evaluate the closure round it as often as it wants.
#pragma once

#include <chrono>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include <tandem/autograd/tensor.h>
#include <tandem/core/workers/part.h>
#include <tandem/optim/optimizer.h>

#include "finite_watch.h"

namespace tandem::train {

/// Examples in a batch, which its loss is the mean over: images, target tokens.
template <class Batch>
std::int64_t examples_in(const Batch& batch) {
  if constexpr (requires { batch.tokens; }) {
    return batch.tokens;
  } else if constexpr (requires { batch.labels; }) {
    return batch.labels.size();
  } else {
    return batch.targets.size();
  }
}

/// What a step knows of its batches whatever they hold.
class StepMean {
 public:
  /// Adds the gradient of this batch's part of the step's loss: of loss_b examples_b / sum examples.
  void backward(const Tensor& loss);
  /// The step's loss.
  Tensor loss() const;
  /// Of the batch at hand, counted from the beginning of the run, from 1: a key for what a loop draws at random.
  /// No two ranks have the same, and no two copies of a lookaround.
  std::int64_t number() const {
    const std::int64_t of_rank = (before_ + static_cast<std::int64_t>(at_)) * part_.count + part_.index;
    return copied_ == nullptr ? of_rank + 1 : of_rank * copied_->copies() + copied_->copy() + 1;
  }

  std::int64_t batches() const { return static_cast<std::int64_t>(parts_.size()); }
  std::int64_t examples() const { return examples_; }
  /// The rule may have copies of the weights (optim/lookaround.h): they see views of their own.
  void copy_by(const Optimizer& optimizer) { copied_ = &optimizer; }
  /// The rank that this step is of, whose gradients the optimizer averages: `share`, this rank's examples by the mean
  /// of a rank, makes the mean over ranks one over examples.
  /// `searches`: a loss that is not finite may be searched for its layer.
  void divide(Part part, Optimizer& optimizer, double share, bool searches) {
    part_ = part, optimizer_ = &optimizer, share_ = share, searches_ = searches;
  }

  /// When the last backward of the step ran.
  using Clock = std::chrono::steady_clock;
  std::pair<Clock::time_point, Clock::time_point> last_backward() const { return {backward_begin_, backward_end_}; }

 protected:
  explicit StepMean(FiniteWatch& watch) : watch_(watch) {}
  void clear(std::int64_t before) { parts_.clear(), before_ = before, examples_ = 0; }
  void add(std::int64_t examples) { parts_.push_back(examples), examples_ += examples; }
  void begin();
  /// To the next batch; after a loss that is not finite once more to the same one, while the layers are looked at.
  void advance();

  /// Whose weights the loss is wanted of.
  std::size_t copy() const { return copied_ == nullptr ? 0 : static_cast<std::size_t>(copied_->copy()); }

  std::size_t at_ = 0;

 private:
  bool is_plain() const { return parts_.size() == 1 && share_ == 1; }

  FiniteWatch& watch_;
  std::vector<std::int64_t> parts_;  // examples of each batch
  std::int64_t before_ = 0, examples_ = 0;
  double sum_ = 0, share_ = 1;
  Part part_;
  Optimizer* optimizer_ = nullptr;     // null: there is one rank
  const Optimizer* copied_ = nullptr;  // null: nobody asked for copies
  bool repeats_ = false, searches_ = true;
  Tensor last_;
  Clock::time_point backward_begin_, backward_end_;
};

template <class Batch>
class StepBatches : public StepMean {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using pointer = const Batch*;
    using reference = const Batch&;

    const Batch& operator*() const { return step_->seen()[step_->at_]; }
    Iterator& operator++() {
      step_->advance();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return step_->at_ == step_->held_.size(); }

   private:
    friend class StepBatches;
    explicit Iterator(StepBatches* step) : step_(step) {}
    StepBatches* step_;
  };

  explicit StepBatches(FiniteWatch& watch) : StepMean(watch) {}

  Iterator begin() {
    StepMean::begin();
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

  /// For who fills it. `before`: batches of the run before this step.
  void clear(std::int64_t before) {
    held_.clear();
    for (std::vector<Batch>& view : views_) view.clear();
    StepMean::clear(before);
  }
  void add(Batch batch) {
    StepMean::add(examples_in(batch));
    held_.push_back(std::move(batch));
  }
  /// The batch that was added last as copy number `copy` sees it.
  void add_view(std::size_t copy, Batch batch) {
    if (views_.size() < copy) views_.resize(copy);
    views_[copy - 1].push_back(std::move(batch));
  }
  const std::vector<Batch>& held() const { return held_; }

 private:
  /// As the copy at hand sees them; without views all see the same.
  const std::vector<Batch>& seen() const {
    const std::size_t i = copy();
    return i == 0 || views_.empty() ? held_ : views_[i - 1];
  }

  std::vector<Batch> held_;
  std::vector<std::vector<Batch>> views_;  // of copies 1, 2, ...
};

}  // namespace tandem::train
