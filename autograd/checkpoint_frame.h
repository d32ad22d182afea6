// CheckpointFrame: the ops of one call of checkpoint(), and what they save. Private to autograd.
//
//   forward   f runs; each recorded op enters the frame, which takes what it saves (but parameters and inputs)
//   backward  the first node that runs has f run again: ops of equal places save equal values, which are handed out
//
// The graph is that of the first run. What was recorded the second time goes with the values that came from it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <tandem/autograd/evaluations.h>
#include <tandem/autograd/tensor.h>
#include <tandem/core/dtype.h>

namespace tandem {

class InputList;
struct SavedValue;

class CheckpointFrame {
 public:
  /// The frame whose f runs on this thread, null outside.
  static const std::shared_ptr<CheckpointFrame>& current();
  static void run(const std::function<void()>& first, std::function<void()> again);

  /// An op of f is recorded: takes from `node` what will be made again, and returns the place of the op; in the second
  /// run keeps a copy of that, and returns kNowhere.
  std::size_t enter(const char* op, const InputList& inputs, Node& node);
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  /// Gives back what the op at `place` saved. Throws Error when parameters have changed since, or f does other ops.
  void restore(std::size_t place, Node& node);

 private:
  struct Entry {
    const char* op;
    std::vector<std::size_t> taken;  // places in the list of saved values
    std::vector<SavedValue> again;   // what was taken, between the second run and restore
  };
  /// What f reads, as it was.
  struct Read {
    std::weak_ptr<TensorState> tensor;
    std::uint64_t storage, version;
  };

  void note(const Tensor& read);
  void run_again();
  void check_reads() const;
  [[noreturn]] void fail_other(std::size_t place, const char* op) const;

  std::function<void()> again_;
  DType autocast_ = DType::f32;  // that of the first run
  Evaluations::States states_;   // of random layers, before they were drawn from
  std::vector<Entry> entries_;
  std::vector<Read> reads_;  // parameters and others that no op of f made
  bool is_complete_ = false, is_running_again_ = false, is_made_ = false;
  std::size_t next_ = 0;  // place of the next op of the second run
  std::mutex mutex_;
};

}  // namespace tandem
