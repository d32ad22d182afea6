// LeafState: what a leaf at work keeps and does whatever its formula: named buffers, a step count, and the updates that
// each parameter has missed. Compiled once (leaf_state.cpp), not with every rule. With a formula: running_leaf.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/engine/running.h>

namespace tandem {

template <class T>
class LeafState : public Running<T> {
 public:
  LeafState(std::span<const State> states, const Frame& frame);

  void clear(std::int64_t begin, std::int64_t end) override;
  void restart_count() override;
  void anchor(const T*, std::int64_t, std::int64_t) override {}
  void restart_cycles() override {}
  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override;
  void state(const std::string& path, StateVisitor<T>& visitor) override;

 protected:
  /// One more update, but for parameters without a gradient.
  void count_update();
  /// Updates since the state was fresh, with this one.
  std::int64_t count() const { return count_; }
  /// How many updates were missed by parameters with a gradient in this step, each number once; without those of none.
  const std::vector<std::int64_t>& late() const { return late_; }
  /// The place in late() of parameter t of the frame, or -1.
  int place_in_late(std::size_t t) const;

  Numbers<T>& numbers(std::size_t state) const { return *numbers_[state]; }
  const Frame& frame() const { return frame_; }
  bool is_watched() const;

 private:
  const Frame& frame_;
  std::span<const State> states_;
  std::vector<std::unique_ptr<Numbers<T>>> numbers_;  // of each state
  std::int64_t count_ = 0;
  std::vector<std::int64_t> missed_, late_;  // of each parameter; in this step
};

extern template class LeafState<float>;
extern template class LeafState<double>;
extern template class LeafState<Traced>;

}  // namespace tandem
