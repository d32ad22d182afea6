// One group of an Optimizer at work: arena, rule and state, for either dtype. Private to optim/ (optimizer.cpp).
#pragma once

#include <functional>
#include <utility>

#include <tandem/optim/arena.h>

namespace tandem {

/// An entry of the state tree before it has its final name.
struct StateEntry {
  std::string path;
  Array* buffer = nullptr;          // a buffer of the arena's size, or
  std::int64_t* counter = nullptr;  // a counter
};

class BoundGroup {
 public:
  BoundGroup(std::vector<Slot> slots, const Rule& rule, const void* owner)
      : arena(std::move(slots), owner), node(rule.node().clone()) {}
  virtual ~BoundGroup() = default;

  /// `evaluate` computes the loss and its gradients anew, in a step with a closure.
  virtual void step(std::int64_t index, const std::function<void()>* evaluate = nullptr) = 0;
  virtual bool needs_closure() const = 0;
  /// All loops start a cycle from the weights as they are.
  virtual void start_cycles() = 0;
  /// Exchanges weights and evaluation weights; false when there is nothing to exchange.
  virtual bool swap_evaluation_weights() = 0;
  virtual std::vector<StateEntry> state(const std::string& path) = 0;

  Arena arena;
  std::shared_ptr<RuleNode> node;  // the optimizer's own copy: set() changes it
};

/// The group for the dtype of its slots.
std::unique_ptr<BoundGroup> make_group(std::vector<Slot> slots, const Rule& rule, const void* owner);

}  // namespace tandem
