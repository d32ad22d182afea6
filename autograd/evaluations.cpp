// See evaluations.h.
#include <tandem/autograd/evaluations.h>

#include <algorithm>

namespace tandem {
namespace {

thread_local Evaluations* current = nullptr;

}  // namespace

Evaluations::Evaluations() : outside_(current) { current = this; }
Evaluations::~Evaluations() { current = outside_; }

void Evaluations::begin() {
  if (++begun_ == 1) return;
  for (auto& [state, before] : states_) state.copy_from(before);
}

bool Evaluations::is_later() { return current != nullptr && current->begun_ > 1; }

void Evaluations::note(const Array& state) {
  if (current == nullptr || current->begun_ != 1) return;
  const bool is_known = std::any_of(current->states_.begin(), current->states_.end(),
                                    [&](const auto& s) { return s.first.storage() == state.storage(); });
  if (!is_known) current->states_.push_back({state, state.clone()});
}

}  // namespace tandem
