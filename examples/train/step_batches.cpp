// The mean of a step, batch by batch.
#include "step_batches.h"

#include <cmath>

#include <tandem/autograd/ops.h>

namespace tandem::train {

void StepMean::begin() {
  if (watch_.is_searching()) watch_.search(false);  // a loop that was left in the middle
  at_ = 0;
  sum_ = 0;
  repeats_ = false;
}

void StepMean::backward(const Tensor& loss) {
  if (watch_.is_searching()) return;  // this call is for its layers alone
  const double value = loss.item();
  repeats_ = searches_ && !std::isfinite(value) && !watch_.has_looked();
  last_ = loss.detach();
  const bool is_last = at_ + 1 == parts_.size();
  const auto overlap = is_last && optimizer_ != nullptr ? optimizer_->overlap() : nullptr;
  backward_begin_ = Clock::now();
  if (is_plain()) {
    loss.backward();
    backward_end_ = Clock::now();
    return;
  }
  const double part = share_ * static_cast<double>(parts_[at_]) / static_cast<double>(examples_);
  sum_ += part * value;
  (part * loss).backward();
  backward_end_ = Clock::now();
}

Tensor StepMean::loss() const { return is_plain() ? last_ : Tensor(Array::full({}, sum_, last_.value().dtype())); }

void StepMean::advance() {
  if (repeats_ && !watch_.is_searching()) return watch_.search(true);
  if (watch_.is_searching()) watch_.search(false);
  repeats_ = false;
  ++at_;
}

}  // namespace tandem::train
