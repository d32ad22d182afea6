// The templates of Run: the steps of an epoch, over batches of any kind. Included by run.h alone.
#pragma once

#include <memory>

#include "run.h"

namespace tandem::train {

template <class Source>
class Run::Steps {
 public:
  using Step = StepBatches<typename decltype(std::declval<Source&>().next())::value_type>;

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Step;
    using difference_type = std::ptrdiff_t;
    using pointer = Step*;
    using reference = Step&;

    Step& operator*() const { return steps_->step_; }
    Iterator& operator++() {
      steps_->run_.end_step();
      steps_->fetch();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return steps_->step_.batches() == 0; }

   private:
    friend class Steps;
    explicit Iterator(Steps* steps) : steps_(steps) {}
    Steps* steps_;
  };

  Iterator begin() {
    go_to_position(source_);
    for (const auto& view : views_) go_to_position(*view);
    run_.begin_steps();
    fetch();
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class Run;
  Steps(Run& run, Source& source) : run_(run), source_(source), step_(*run.watch_) {
    step_.copy_by(*run.optimizer_);
    if constexpr (requires { source.options().view, Source(source.source(), source.options()); }) {
      for (std::int64_t copy = 1; copy < run.optimizer_->copies(); ++copy) {
        auto options = source.options();
        options.view = copy;
        views_.push_back(std::make_unique<Source>(source.source(), options));
      }
    }
  }
  void go_to_position(Source& source) const {
    if constexpr (requires { source.start_epoch(0); }) {
      source.set_position(run_.state_.epochs * source.batches() + run_.state_.batches);
    } else {
      source.set_position(run_.state_.batches);
    }
  }
  void fetch() {
    step_.clear(run_.state_.epochs * run_.batches_per_epoch_ + run_.state_.batches);
    for (std::int64_t left = run_.batches_wanted(); left > 0; --left) {
      if (auto batch = source_.next()) step_.add(std::move(*batch));
      for (std::size_t i = 0; i < views_.size(); ++i)
        if (auto batch = views_[i]->next()) step_.add_view(i + 1, std::move(*batch));
    }
    run_.step_ = &step_;
    run_.begin_step();
    run_.look(step_.held());
    profile::set_phase(step_.batches() > 0 ? profile::Phase::forward : profile::Phase::other);
  }
  Run& run_;
  Source& source_;
  std::vector<std::unique_ptr<Source>> views_;  // of the copies of a lookaround, but the first
  Step step_;
};

template <class Loss>
void Run::measure_instruments(Loss loss) {
  part_loss_ = std::function(std::move(loss));
}

/// Before a step: the parts of its batches, where a measurement is due.
template <class Batch>
void Run::look(const std::vector<Batch>& batches) {
  const std::int64_t every = context_.options.instruments;
  if (every == 0 || batches.empty() || state_.step % every != 0) return;
  const auto* loss = std::any_cast<std::function<Tensor(const Batch&, std::int64_t)>>(&part_loss_);
  if (loss == nullptr) fail("run.measure_instruments", "the loss is of batches of another type");
  begin_instruments(parts_of(batches, *loss, [](const Batch& part) { return examples_in(part); }));
}

template <class Source>
void Run::gather_statistics(Source& batches) {
  Source again(batches.source(), batches.options());  // the training's own position stays
  for (std::int64_t i = 0; i < context_.options.reestimate; ++i) {
    const auto batch = again.next();
    if (!batch) return;
    (*model_)(batch->images);
  }
}

}  // namespace tandem::train
