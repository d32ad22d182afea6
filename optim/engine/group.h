// One group of an Optimizer at work: arena, rule and state, for either dtype. Private to optim/ (stepper.cpp,
// optimizer.cpp).
#pragma once

#include <utility>
#include <vector>

#include <tandem/optim/engine/arena.h>
#include <tandem/optim/engine/look.h>
#include <tandem/optim/engine/watch.h>
#include <tandem/optim/rule.h>

namespace tandem {

/// An entry of the state tree, or a number that a step has measured, before it has its final name.
struct StateEntry {
  std::string path;
  Array* buffer = nullptr;                        // a buffer of the arena's size, or
  std::int64_t* counter = nullptr;                // a counter, or
  std::vector<std::int64_t>* counters = nullptr;  // one a slot, or
  Array array = {};                               // an array of any shape, or
  double* number = nullptr;                       // a number that was measured, or
  std::vector<double>* numbers = nullptr;         // one a slot
};

class RunningGroup {
 public:
  RunningGroup(std::vector<Slot> slots, const Rule& rule, const void* owner)
      : arena(std::move(slots), owner), node(rule.node().clone()) {}
  virtual ~RunningGroup() = default;

  /// The parts of a step (running.h). `has_closure`: gradients may be replaced before the sweep, so they are measured
  /// first. look() is true when it must be called again, after the groups have met.
  virtual void begin(std::int64_t index, bool splits_syncs, bool has_closure) = 0;
  virtual bool look(Seat& seat) = 0;
  virtual void update() = 0;
  virtual bool waits() const = 0;
  virtual int next_sync() const = 0;
  virtual void resume() = 0;
  virtual void end() = 0;
  /// Whether this step, begun, evaluates the loss after weights have moved.
  virtual bool evaluates_late() const = 0;

  /// Exchanges the weights for `point` (element 0), or with null marks them changed: packed copies of them are old.
  virtual void exchange(void* point) = 0;
  /// Moves the gradients that are in the arena now to a buffer of their own, and back come those of the step.
  virtual void keep_gradients() = 0;
  virtual void take_evaluated() = 0;
  virtual const void* evaluated() const = 0;

  struct Loop {
    const char* name;
    Array* slow;
  };
  /// The loops of the rule and its inner rules, the outermost first.
  virtual const std::vector<Loop>& loops() const = 0;
  /// The fast weights of a loop before its last pull, kept from the next sync on; null before it.
  virtual Array* fast(std::size_t loop) = 0;
  /// The levels with sums over all groups (Roll::sums).
  virtual const std::vector<const char*>& sums() const = 0;
  /// Measures the next steps, or stops doing so.
  virtual void watch(bool on) = 0;
  /// What the last step measured.
  const GroupWatch& watched() const { return watch_; }

  virtual bool needs_closure() const = 0;
  /// How many copies of the weights the rule has.
  virtual std::int64_t copies() const = 0;
  /// Whether the rule has a loop over workers: its gradients are each worker's own.
  virtual bool is_over_workers() const = 0;
  /// All loops start a cycle from the weights as they are.
  virtual void start_cycles() = 0;
  /// Exchanges weights and evaluation weights; false when there is nothing to exchange.
  virtual bool swap_evaluation_weights() = 0;
  virtual std::vector<StateEntry> state(const std::string& path) = 0;
  virtual std::vector<StateEntry> measured(const std::string& path) = 0;

  Arena arena;
  std::shared_ptr<RuleNode> node;  // the optimizer's own copy: set() changes it

 protected:
  GroupWatch watch_;
};

/// The group for the dtype of its slots.
std::unique_ptr<RunningGroup> make_group(std::vector<Slot> slots, const Rule& rule, const void* owner);

}  // namespace tandem
