// One group of an Optimizer at work: arena, rule and state, for either dtype. Private to optim/ (optimizer.cpp).
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include <tandem/optim/arena.h>
#include <tandem/optim/watch.h>

namespace tandem {

/// An entry of the state tree before it has its final name.
struct StateEntry {
  std::string path;
  Array* buffer = nullptr;                        // a buffer of the arena's size, or
  std::int64_t* counter = nullptr;                // a counter, or
  std::vector<std::int64_t>* counters = nullptr;  // one a slot
};

class BoundGroup {
 public:
  BoundGroup(std::vector<Slot> slots, const Rule& rule, const void* owner)
      : arena(std::move(slots), owner), node(rule.node().clone()) {}
  virtual ~BoundGroup() = default;

  /// A step: begin, run until it gives -1, end. `evaluate` computes the loss and its gradients anew, in a step with a
  /// closure. With split_syncs, run stops before every sync and gives its loop: a place in loops().
  virtual void begin(std::int64_t index, const std::function<void()>* evaluate, bool split_syncs) = 0;
  virtual int run() = 0;
  virtual void end() = 0;
  /// Brings a step to an end that was left by an exception; no-op otherwise.
  virtual void abandon() = 0;
  /// Names of the loops of the rule and its inner rules, the outermost first.
  virtual const std::vector<const char*>& loops() const = 0;
  /// Measures the next steps, or stops doing so.
  virtual void watch(bool on) = 0;
  /// What the last step measured.
  const GroupWatch& watched() const { return watch_; }

  virtual bool needs_closure() const = 0;
  /// All loops start a cycle from the weights as they are.
  virtual void start_cycles() = 0;
  /// Exchanges weights and evaluation weights; false when there is nothing to exchange.
  virtual bool swap_evaluation_weights() = 0;
  virtual std::vector<StateEntry> state(const std::string& path) = 0;

  Arena arena;
  std::shared_ptr<RuleNode> node;  // the optimizer's own copy: set() changes it

 protected:
  GroupWatch watch_;
};

/// The group for the dtype of its slots.
std::unique_ptr<BoundGroup> make_group(std::vector<Slot> slots, const Rule& rule, const void* owner);

}  // namespace tandem
