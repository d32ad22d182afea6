// The instruments of a run (--instruments): before a step that is measured, and after it.
#include "run.h"

namespace tandem::train {

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
