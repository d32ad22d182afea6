// Taking and giving back the memory of gradients. See gradient_places.h; what waits is in tensor.cpp.
#include <tandem/autograd/gradient_places.h>

#include <utility>

namespace tandem {

namespace {
thread_local ReachedLeaves* reached_leaves = nullptr;
}

ReachedLeaves::ReachedLeaves() : outside_(std::exchange(reached_leaves, this)) {}
ReachedLeaves::~ReachedLeaves() { reached_leaves = outside_; }

void ReachedLeaves::note(const TensorState& leaf) {
  if (reached_leaves != nullptr) reached_leaves->list_.push_back(&leaf);
}

Array* GradientPlaces::take(std::size_t i) {
  if (i >= edges_.size() || i >= 64 || is_taken(i)) return nullptr;
  TensorState* leaf = edges_[i].leaf.get();
  if (leaf == nullptr || leaf->hooks) return nullptr;
  Array* place = take_gradient(*leaf);
  if (place != nullptr) taken_ |= std::uint64_t{1} << i;
  return place;
}

void GradientPlaces::give_back(bool is_written) {
  for (std::size_t i = 0; taken_ != 0; ++i, taken_ >>= 1) {
    if ((taken_ & 1U) != 0) give_back_gradient(*edges_[i].leaf, is_written);
  }
}

Array* Needs::place(std::size_t i) const { return places_ == nullptr ? nullptr : places_->take(i); }

bool Needs::is_placed(std::size_t i) const { return places_ != nullptr && places_->is_taken(i); }

}  // namespace tandem
