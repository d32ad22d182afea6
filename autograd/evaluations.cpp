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

bool Evaluations::is_later() { return current != nullptr && (current->begun_ > 1 || current->moves_ == Moves::none); }

void Evaluations::note(const Array& state) {
  if (current == nullptr || (current->begun_ != 1 && current->moves_ == Moves::first)) return;
  const bool is_known = std::any_of(current->states_.begin(), current->states_.end(),
                                    [&](const auto& s) { return s.first.storage() == state.storage(); });
  if (!is_known) current->states_.push_back({state, state.clone()});
}

}  // namespace tandem
