// Running<T>: a rule at work on the arena of one group: its state, and what each of its levels does in a step. What
// leaves and combinators implement; users of optimizers need not read it. A step is
//
//   begin   counters and coefficients
//   look    what must be known of all elements before any moves: norms, gradients at other weights, matrices
//   update  one sweep over the blocks: the leaf's formula, pulls, averages, all while a block is in cache
//   look, resume    only where a level waits(): a sync that must see all fast weights first (adaptive alpha, an outer
//                   rule that looks, an on_sync callback)
//   end     counters
//
// All groups of an Optimizer do each of these together (stepper.h). Most levels have update() alone. Memory: frame.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/optim/engine/frame.h>
#include <tandem/optim/engine/look.h>
#include <tandem/optim/rule.h>

namespace tandem {

/// Receives the named state of a rule.
template <class T>
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;
  /// A number for each weight.
  virtual void buffer(const std::string& path, Numbers<T>& numbers) = 0;
  virtual void counter(const std::string& path, std::int64_t& value) = 0;
  /// Counters of each of Frame::parameters, most of them 0.
  virtual void counters(const std::string& path, std::vector<std::int64_t>& values) = 0;
  /// Numbers of any shape: a scalar, a matrix of one parameter.
  virtual void array(const std::string& path, Array& array) = 0;
};

/// A live buffer of first moments.
template <class T>
struct Moment {
  std::string path;
  T* data;
};

/// What Optimizer learns of the levels of a rule and of its inner rules (not of outer rules), once.
template <class T>
struct Roll {
  struct Loop {
    const char* name;
    Numbers<T>* slow;
    std::unique_ptr<Numbers<T>>* fast;  ///< the fast weights before its last pull, kept where the pointer is not null
  };
  std::vector<Loop> loops;             ///< the outermost first
  std::size_t loops_over_workers = 0;  ///< the outermost ones
  std::vector<const char*> sums;       ///< of each sum over all groups (Seat::add) the name of the level that takes it
  std::int64_t copies = 1;             ///< of the weights that step side by side (copies.h)
  bool changes_gradients = false;      ///< a level gives the leaf other gradients than those that arrived
  bool changes_updates = false;        ///< a level changes what the leaf has done to the weights, and is no loop
};

template <class T>
class Running {
 public:
  virtual ~Running() = default;

  /// Counts, and computes the coefficients of the step that schedules call `index`.
  virtual void begin(std::int64_t index) = 0;
  /// Whether look() has anything to see before the first sweep.
  virtual bool looks() const { return false; }
  /// One look at all elements. True: once more, when all groups have looked and the loss was evaluated where it was
  /// asked for.
  virtual bool look(const Look<T>& look) { return (void)look, false; }
  /// The first sweep: everything that a block needs while it is in cache. Called for all blocks, in parallel.
  virtual void update(const Block<T>& block) = 0;
  /// Whether another sweep is needed; the same for all blocks of a sweep, known from begin() on.
  virtual bool waits() const { return false; }
  /// A later sweep. The gradient is null.
  virtual void resume(const Block<T>& block) { (void)block; }
  /// After every sweep.
  virtual void settle() {}
  virtual void end() {}

  /// Zeros the state of elements [begin, end) (a reset); restart_count() does the same to step counts.
  virtual void clear(std::int64_t begin, std::int64_t end) = 0;
  virtual void restart_count() = 0;
  /// Slow weights of all loops, and whatever else starts as the weights, := weight (to element `begin`).
  virtual void anchor(const T* weight, std::int64_t begin, std::int64_t end) = 0;
  /// All loops are at the start of a cycle.
  virtual void restart_cycles() = 0;
  /// Averages forget what they have taken.
  virtual void restart_averages() {}

  /// Buffers that are first moments, for interpolation, with their paths below this level.
  virtual void first_moments(const std::string& path, std::vector<Moment<T>>& moments) { (void)path, (void)moments; }
  virtual void state(const std::string& path, StateVisitor<T>& visitor) = 0;
  /// Numbers that the last step has measured (norms, factors, alpha), for explanations and reports.
  virtual void measured(const std::string& path, MeasuredVisitor<T>& visitor) { (void)path, (void)visitor; }

  /// What look() concludes from the measured numbers, where they were put back (explanations).
  virtual void recall() {}

  /// The slow (or averaged) weights that stand for the model, or null; is_at_sync(): they equal the weights.
  virtual T* evaluation_weights() { return nullptr; }
  virtual bool is_at_sync() const { return true; }
  /// True when only step(closure) will do.
  virtual bool needs_closure() const { return false; }
  /// Whether this step evaluates the loss after weights have moved.
  virtual bool evaluates_late() const { return false; }
  /// True in a step in which every weight changes, also those without a gradient: some loop syncs.
  virtual bool moves_all() const { return false; }

  virtual void join(Roll<T>& roll) { (void)roll; }
  /// The loop (its place in Roll::loops) that waits for its sync and is the next to have it, or -1.
  virtual int next_sync() const { return -1; }
};

/// bind_float, bind_double or bind_traced by the type.
template <class T>
std::unique_ptr<Running<T>> bind_as(RuleNode& node, const Frame& frame) {
  if constexpr (std::is_same_v<T, float>) {
    return node.bind_float(frame);
  } else if constexpr (std::is_same_v<T, double>) {
    return node.bind_double(frame);
  } else {
    return node.bind_traced(frame);
  }
}

}  // namespace tandem
