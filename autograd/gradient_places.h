// Where the backward of an op may write gradients of leaves instead of returning them: the memory that an Optimizer has
// bound, while no other gradient has arrived there. Private to autograd: a backward asks Needs::place (record.h), the
// traversal (backward.cpp) makes one of these for each node that runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tandem/autograd/node.h>

namespace tandem {

class GradientPlaces {
 public:
  explicit GradientPlaces(const SmallList<Edge, 3>& edges) : edges_(edges) {}
  /// Gives back what was taken and not written: backward has thrown.
  ~GradientPlaces() { give_back(false); }
  GradientPlaces(const GradientPlaces&) = delete;
  GradientPlaces& operator=(const GradientPlaces&) = delete;

  /// The memory of the gradient of input i; null when it is none to be written. A gradient that arrives there meanwhile
  /// waits.
  Array* take(std::size_t i);
  bool is_taken(std::size_t i) const { return i < 64 && ((taken_ >> i) & 1U) != 0; }
  /// What was taken is written: those gradients have arrived.
  void finish() { give_back(true); }

 private:
  void give_back(bool is_written);

  const SmallList<Edge, 3>& edges_;
  std::uint64_t taken_ = 0;
};

/// While it lives, the leaves are listed that get a gradient on this thread.
class ReachedLeaves {
 public:
  ReachedLeaves();
  ~ReachedLeaves();
  ReachedLeaves(const ReachedLeaves&) = delete;
  ReachedLeaves& operator=(const ReachedLeaves&) = delete;

  const std::vector<const TensorState*>& list() const { return list_; }
  static void note(const TensorState& leaf);

 private:
  std::vector<const TensorState*> list_;
  ReachedLeaves* outside_;
};

/// The memory of a bound gradient, row major, that is to be written; null where there is none, another gradient has
/// arrived or is being written, or the leaf is locked. Until it is given back, gradients that arrive wait.
Array* take_gradient(TensorState& leaf);
void give_back_gradient(TensorState& leaf, bool is_written);

}  // namespace tandem
