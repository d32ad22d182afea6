// WorkerMean: what a loop over workers does before its sync. The fast weights of all workers become their mean, so that
// slow - fast is the mean of their pseudo-gradients, slow weights being equal on all:
//
//   fast <- (fast_1 + ... + fast_N) / N        one all-reduce of the weights every k steps; inner state stays a
//   worker's
//
// One worker, or none, does nothing. The loops: lookahead.cpp, outer_loop.cpp. Who the workers are: core/workers.
#pragma once

#include <memory>
#include <string>

#include <tandem/core/workers/workers.h>
#include <tandem/optim/engine/pass.h>
#include <tandem/optim/engine/running.h>

namespace tandem {

template <class T>
class WorkerMean {
 public:
  WorkerMean(const bool& is_wanted, const Frame& frame) : is_wanted_(is_wanted), frame_(frame) {}

  /// From begin() of the loop. is_due(): in this step, so that the sync waits for all blocks.
  void begin(bool is_sync) {
    const bool has_others = is_wanted_ && frame_.workers != nullptr && frame_.workers->size() > 1;
    is_due_ = has_others && is_sync;
    is_known_ = false;
    if (has_others && !sum_) sum_ = std::make_unique<Numbers<T>>(frame_);
  }
  bool is_due() const { return is_due_; }

  /// When all blocks have their fast weights: exchanges them for the mean.
  void look(const Look<T>& look) {
    if (!is_due_ || is_known_) return;
    T* const sum = sum_->at(0);
    for_blocks<T>(frame_.size, [&](std::int64_t begin, std::int64_t end, T*) {
      std::copy(look.weight + begin, look.weight + end, sum + begin);
    });
    frame_.workers->wait(frame_.workers->begin_sum(sum, frame_.size, frame_.dtype, Workers::Channel::words));
    is_known_ = true;
    for_blocks<T>(frame_.size,
                  [&](std::int64_t begin, std::int64_t end, T*) { take(look.weight + begin, begin, end - begin); });
  }
  /// In an explanation, which looks at nothing: the same for a block, from the sum that was measured.
  void explain(const Block<T>& block) {
    if constexpr (std::is_same_v<T, Traced>) {
      if (is_due_) take(block.weight, block.begin, block.size());
    } else {
      (void)block;
    }
  }
  /// A number over all workers: their mean, in double.
  void average(double& number) const {
    if (!is_due_) return;
    frame_.workers->sum(&number, 1);
    number /= frame_.workers->size();
  }

  void measured(const std::string& path, MeasuredVisitor<T>& visitor) {
    if (sum_) visitor.buffer(path + "sum over workers", *sum_);
  }

  /// Says in the roll that the loop is over workers. Throws UsageError when a loop round it is not: its slow weights
  /// would go apart.
  void join(Roll<T>& roll, const char* name) const {
    if (is_wanted_ && roll.loops.size() > roll.loops_over_workers) {
      fail_usage(name, "is over workers, the loop round it is not", "its slow weights would differ between workers",
                 "give both the word workers, or the outer one alone");
    }
    if (is_wanted_) ++roll.loops_over_workers;
  }

 private:
  struct Mean {
    static constexpr const char* kName = "mean over workers";
    static constexpr std::array kNames = {"fast", "sum over workers"};
    static constexpr auto kState = kNoState;
    T workers;
    void operator()(T& fast, T sum) const { fast = sum / workers; }
  };
  void take(T* weight, std::int64_t begin, std::int64_t n) const {
    detail::formula_pass<T>(Mean{coefficient<T>("workers", frame_.workers->size())}, weight, sum_->at(begin), nullptr,
                            n);
  }

  const bool& is_wanted_;
  const Frame& frame_;
  std::unique_ptr<Numbers<T>> sum_;
  bool is_due_ = false, is_known_ = false;
};

}  // namespace tandem
