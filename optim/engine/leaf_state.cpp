// See leaf_state.h.
#include <tandem/optim/engine/leaf_state.h>

#include <algorithm>

#include <tandem/optim/engine/watch.h>

namespace tandem {

template <class T>
LeafState<T>::LeafState(std::span<const State> states, const Frame& frame)
    : frame_(frame), states_(states), missed_(frame.tensors.size()) {
  for (std::size_t i = 0; i < states.size(); ++i) numbers_.push_back(std::make_unique<Numbers<T>>(frame));
}

template <class T>
void LeafState<T>::clear(std::int64_t begin, std::int64_t end) {
  for (const auto& numbers : numbers_) std::fill(numbers->at(begin), numbers->at(end), T(0));
}

template <class T>
void LeafState<T>::restart_count() {
  count_ = 0;
  std::fill(missed_.begin(), missed_.end(), 0);
}

template <class T>
void LeafState<T>::first_moments(const std::string& path, std::vector<Moment<T>>& moments) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].role == Role::first_moment) moments.push_back({path + states_[i].name, numbers_[i]->at(0)});
  }
}

template <class T>
void LeafState<T>::state(const std::string& path, StateVisitor<T>& visitor) {
  for (std::size_t i = 0; i < states_.size(); ++i) visitor.buffer(path + states_[i].name, *numbers_[i]);
  visitor.counter(path + "step", count_);
  visitor.counters(path + "missed", missed_);
}

template <class T>
void LeafState<T>::count_update() {
  ++count_;
  late_.clear();
  for (std::size_t t = 0; t < missed_.size(); ++t) {
    if (frame_.has_gradient[t] == 0) {
      ++missed_[t];
    } else if (missed_[t] > 0 && place_in_late(t) < 0) {
      late_.push_back(missed_[t]);
    }
  }
}

template <class T>
int LeafState<T>::place_in_late(std::size_t t) const {
  const auto found = std::find(late_.begin(), late_.end(), missed_[t]);
  return found == late_.end() ? -1 : static_cast<int>(found - late_.begin());
}

template <class T>
bool LeafState<T>::is_watched() const {
  return frame_.watch != nullptr && (frame_.watch->leaf_sees_gradient || frame_.watch->leaf_is_update);
}

template class LeafState<float>;
template class LeafState<double>;
template class LeafState<Traced>;

}  // namespace tandem
