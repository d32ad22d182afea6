// See evaluations.h.
#include <tandem/autograd/evaluations.h>

#include <algorithm>

namespace tandem {
namespace {

thread_local Evaluations* current = nullptr;

}  // namespace

Evaluations::Evaluations(Moves moves, States replay)
    : outside_(current), moves_(moves), states_(1), replay_(std::move(replay)) {
  current = this;
  for (const auto& [state, value] : replay_) states_.front().push_back({state, state.clone()});
}

Evaluations::~Evaluations() {
  if (moves_ == Moves::none) put_back(states_.front());
  current = outside_;
}

void Evaluations::put_back(States& states) {
  for (auto& [state, before] : states) state.copy_from(before);
}

void Evaluations::begin(std::size_t copy) {
  ++begun_;
  copy_ = copy;
  is_first_ = copy >= copies_;
  if (is_first_) {
    copies_ = copy + 1;
    states_.resize(copies_);
  } else {
    put_back(states_[copy]);
  }
  for (auto& [state, value] : replay_) state.copy_from(value);
}

bool Evaluations::is_later() {
  for (const Evaluations* e = current; e != nullptr; e = e->outside_) {
    if (e->begun_ > 1 || e->moves_ == Moves::none) return true;
  }
  return false;
}

void Evaluations::note(const Array& state) {
  for (Evaluations* e = current; e != nullptr; e = e->outside_) {
    if (e->is_first_ || e->moves_ == Moves::none) {
      States& states = e->states_[e->copy_];
      const bool is_known = std::any_of(states.begin(), states.end(),
                                        [&](const auto& s) { return s.first.storage() == state.storage(); });
      if (!is_known) states.push_back({state, state.clone()});
    }
    if (e->moves_ == Moves::none) return;  // it puts all back: nothing moves for those outside
  }
}

}  // namespace tandem
