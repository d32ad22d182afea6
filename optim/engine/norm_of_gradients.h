// NormOfGradients: the 2-norm of the gradients that a level sees, over all groups that have this level, summed in
// double in a fixed order: the same bits for every number of threads.
#pragma once

#include <vector>

#include <tandem/optim/engine/running.h>
#include <tandem/optim/engine/watch.h>

namespace tandem {

template <class T>
class NormOfGradients {
 public:
  explicit NormOfGradients(const Frame& frame) : frame_(frame), sums_(detail::block_number(frame.size + kBlock - 1)) {}

  /// From Running::begin and Running::join. Inside an outer rule, which does not join, the norm is of its group.
  void begin() { has_added_ = is_known_ = false; }
  void join(const char* level, Roll<T>& roll) {
    key_ = static_cast<int>(roll.sums.size());
    roll.sums.push_back(level);
  }
  /// True when value() is known: until then look() must be called again after the groups have met.
  bool look(const Look<T>& look) {
    if (is_known_) return true;
    if (!has_added_) {
      measure(look.gradients);
      if (key_ >= 0) look.seat.add(key_, part_);
      has_added_ = true;
    }
    if (key_ >= 0 && !look.seat.is_complete(key_)) return false;
    value_ = key_ >= 0 ? look.seat.norm(key_) : part_.norm();
    return is_known_ = true;
  }
  double& value() { return value_; }
  /// False inside an outer rule.
  bool is_global() const { return key_ >= 0; }

 private:
  void measure(const GradientSource<T>& gradients) {
    for_blocks<T>(frame_.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
      const T* const gradient = gradients.read(begin, end, scratch);
      Squares sum;
      for_runs(gradients.runs(), begin, end, [&](std::int64_t from, std::int64_t to, bool) {
        sum.add(detail::squares_pass<T>(gradient + (from - begin), to - from));
      });
      sums_[detail::block_number(begin)] = sum;
    });
    part_ = {};
    for (const Squares& sum : sums_) part_.add(sum);
  }

  const Frame& frame_;
  std::vector<Squares> sums_;  // one a block
  Squares part_;               // of this group
  double value_ = 0;
  int key_ = -1;
  bool has_added_ = false, is_known_ = false;
};

}  // namespace tandem
