// Evaluations: one loss evaluated several times, as Optimizer::step(closure) does for rules that need gradients at
// other weights (adaptive alpha, SAM). Every evaluation sees the same dropout masks, and what layers count or average
// beside the loss (running statistics of batch norms) moves in the first one alone, or, while a loss is studied
// (optim/study/instruments.h), in none. Copies of a model (optim/lookaround.h) draw masks of their own. Layers ask
// here; users need not.
#pragma once

#include <utility>
#include <vector>

#include <tandem/core/array.h>

namespace tandem {

class Evaluations {
 public:
  /// Which evaluation moves the running statistics and random states of layers; none: all is as before at the end.
  enum class Moves { first, none };

  /// Random states, each with what it was.
  using States = std::vector<std::pair<Array, Array>>;

  /// `replay`: what these states are at the beginning of each evaluation, e.g. states() of another Evaluations, for the
  /// same masks at other weights; with Moves::none.
  explicit Evaluations(Moves moves = Moves::first, States replay = {});
  ~Evaluations();
  Evaluations(const Evaluations&) = delete;
  Evaluations& operator=(const Evaluations&) = delete;

  /// Before each evaluation: random states that were drawn from in the first one of this copy (0, 1, ... as they come)
  /// are put back to what they were. The first evaluation of a copy goes on drawing where the last one has stopped.
  void begin(std::size_t copy = 0);

  /// Those that were drawn from in the first evaluation, with what they were before.
  const States& states() const { return states_.front(); }

  /// Of the evaluations that this thread is in (they may stand inside each other, as checkpoint's do): whether one is a
  /// later one, or moves nothing.
  static bool is_later();
  /// A layer is about to draw from `state` (its key and count), which it changes.
  static void note(const Array& state);

 private:
  static void put_back(States& states);

  Evaluations* outside_;
  Moves moves_;
  int begun_ = 0;
  std::size_t copy_ = 0, copies_ = 0;  // of this evaluation; those that have begun
  bool is_first_ = false;              // of its copy
  std::vector<States> states_;         // of each copy: alive, and as they were before its first draw
  States replay_;                      // as they are at the beginning
};

}  // namespace tandem
