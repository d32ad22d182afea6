// See evaluations.h.
#include <tandem/autograd/evaluations.h>

#include <algorithm>

namespace tandem {
namespace {

thread_local Evaluations* current = nullptr;

}  // namespace

Evaluations::Evaluations(Moves moves, States replay) : outside_(current), moves_(moves), replay_(std::move(replay)) {
  current = this;
  for (const auto& [state, value] : replay_) states_.push_back({state, state.clone()});
}

Evaluations::~Evaluations() {
  if (moves_ == Moves::none) put_back();
  current = outside_;
}

void Evaluations::put_back() {
  for (auto& [state, before] : states_) state.copy_from(before);
}

void Evaluations::begin() {
  if (++begun_ > 1) put_back();
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
    if (e->begun_ == 1 || e->moves_ == Moves::none) {
      const bool is_known = std::any_of(e->states_.begin(), e->states_.end(),
                                        [&](const auto& s) { return s.first.storage() == state.storage(); });
      if (!is_known) e->states_.push_back({state, state.clone()});
    }
    if (e->moves_ == Moves::none) return;  // it puts all back: nothing moves for those outside
  }
}

}  // namespace tandem
