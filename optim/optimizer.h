// Optimizer: a rule bound to parameters, in one arena of weights, one of gradients, and one a buffer of state.
//
//   Optimizer optimizer(model.parameters(), lookahead(adam({.lr = 3e-4}), {.k = 5, .alpha = 0.5}));
//   for (...) { Tensor loss = ...; optimizer.zero_grad(); loss.backward(); optimizer.step(); }
//   { auto slow = optimizer.evaluation_weights();  evaluate(model); }
//
// Binding moves the parameters' memory; handles stay valid. A parameter belongs to one live Optimizer. Frozen ones
// (requires_grad false at binding) are left out. A parameter without a gradient keeps its value, inner state and step
// count (of bias corrections) in that step; the pull of a loop is for all. Groups step together: a norm is of all of
// them. Read next: rule.h, lookahead.h; looking in: study/explain.h, study/snapshot.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/autograd/arrivals.h>
#include <tandem/autograd/named_tensor.h>
#include <tandem/core/io/safetensors.h>
#include <tandem/core/workers/workers.h>
#include <tandem/optim/rule.h>
#include <tandem/optim/step_report.h>
#include <tandem/optim/study/explain.h>
#include <tandem/optim/study/snapshot.h>

namespace tandem {

class EvaluationWeights;

/// Parameters that share a rule. Their dtype is one, f32 or f64.
struct Group {
  NamedTensors parameters;
  Rule rule;
};

class Optimizer {
 public:
  /// Throws Error when a parameter cannot be bound: it belongs to another live Optimizer, is no leaf, is a view ...
  Optimizer(const NamedTensors& parameters, const Rule& rule);
  explicit Optimizer(const std::vector<Group>& groups);
  ~Optimizer();
  Optimizer(Optimizer&&) noexcept;
  Optimizer& operator=(Optimizer&&) noexcept;

  /// One more group from the next step on, e.g. of parameters that were unfrozen.
  void add_group(const Group& group);

  /// Forgets all gradients: the next one to arrive assigns.
  void zero_grad();
  /// One update from the gradients that arrived since zero_grad, which stay as they are. Allocates nothing. Weights
  /// that someone else has changed since the last step (a model was loaded) are where all cycles start anew. Throws
  /// Error inside an evaluation_weights() scope, when the rule needs step(closure), and when a gradient has arrived in
  /// a parameter that was frozen at binding.
  void step();
  /// A step for rules that need the loss at other weights too (adaptive alpha, SAM). `closure` computes the loss from
  /// one batch, calls backward, and returns the loss; gradients are forgotten before each call of it. It is called once
  /// at the weights as they are, and again as often as the rule asks, with the same dropout masks (each copy of a
  /// lookaround has its own); running statistics move in the first call alone. Afterwards the gradients are those of
  /// the first call. Returns its loss. An exception from any call goes on to the caller, and the optimizer and its
  /// weights are as before the step.
  Tensor step(const std::function<Tensor()>& closure);
  /// Inside a closure: the copy of a lookaround whose weights the parameters hold, by which the closure chooses an
  /// augmentation of the batch; 0 is the first, and all there is without one.
  std::int64_t copy() const;
  /// How many there are: 1 without a lookaround.
  std::int64_t copies() const;
  /// True when only step(closure) will do.
  bool needs_closure() const;
  /// From now on the workers train one model. Groups without a loop over workers (LookaheadOptions::workers,
  /// OuterLoopOptions::workers) have the mean of all workers' gradients in every step, as one process with the whole
  /// batch would, where the loss is a mean over equal parts of it; step(closure) then gives the mean of their losses.
  /// Groups with such a loop have the mean of the fast weights at its syncs, and gradients of their own. Every worker
  /// steps equally often. Called by all, before a state is loaded. Throws Error on all when rules, parameters or
  /// weights differ. With one worker nothing changes, bit for bit.
  void average_over(std::shared_ptr<Workers> workers);
  /// Whether some group has the mean of gradients: average_over() with several workers, and no loop over them.
  bool averages_gradients() const;
  /// While it lives, a mean of gradients begins during backward, as soon as they are complete; for the last backward
  /// of a step. Without it step() does all. Of null: nobody wants a mean.
  [[nodiscard]] std::unique_ptr<Arrivals> overlap();

  /// Measures every step from now on, inside its pass over the weights; the weights stay the same, bit for bit.
  void watch_steps(bool on);
  /// What the last watched step measured. Throws Error when there was none.
  const StepReport& last_step() const;
  /// `callback` is called before every sync of a loop (of outer rules: not), while the parameters hold the last fast
  /// weights of the cycle (the paper's theta_{t,k}); an empty one ends it. Of loops that sync in one step the innermost
  /// comes first. The callback may evaluate the model; it may not change weights, call backward into the parameters,
  /// step, load or save state or open evaluation_weights(): these throw Error. An exception from it goes on to the
  /// caller of step() when the step is complete. The weights stay the same, bit for bit.
  void on_sync(std::function<void(const SyncEvent&)> callback);
  /// From the next step on explain() knows this element of a parameter. Throws UsageError when there is none.
  void trace(std::string_view parameter, const std::vector<std::int64_t>& index);
  void end_traces();
  /// The last step's update of a traced element, with every number in it (study/explain.h).
  Explanation explain(std::string_view parameter, const std::vector<std::int64_t>& index) const;
  /// The slow weights of a loop (0: the outermost) for one parameter, shared: a step changes them.
  Array slow(std::string_view parameter, std::size_t level = 0) const;
  /// The fast weights before that loop's last pull, the paper's theta_{t,k}. Kept from the first call on: undefined
  /// until the next sync.
  Array fast(std::string_view parameter, std::size_t level = 0) const;

  /// Tells plateau schedules a metric, e.g. the test loss of an epoch; larger_is_better: an accuracy (as plateau's
  /// maximize). NaN and infinities count as reports that are not better.
  void report(double metric, bool larger_is_better = false);
  /// Calls of step() so far: the position of all schedules.
  std::int64_t step_count() const;

  /// Until the end of the scope the parameters hold the slow (or averaged) weights of each group's outermost level;
  /// step, backward into the parameters, and saving of state throw meanwhile. Copies nothing where the fast weights are
  /// the slow ones already, and nothing for rules without slow weights. Throws Error when a scope is open.
  [[nodiscard]] EvaluationWeights evaluation_weights();
  /// Whether the scope of an evaluation_weights() is open.
  bool is_evaluating() const;

  /// The rule with its present hyper-parameters; with several groups: "group 0: ...; group 1: ...".
  std::string describe() const;

  /// Names of all hyper-parameters: "groups/0/alpha", "groups/0/inner/lr", "groups/0/outer/momentum", ...
  std::vector<std::string> hyper_parameters() const;
  /// Changes a hyper-parameter from the next step on. `name` is one of hyper_parameters(), or the last part of one
  /// ("lr"): then of all groups and levels, but not of outer rules. Throws UsageError for unknown names and values out
  /// of range.
  void set(std::string_view name, const Schedule& value);
  /// The value in the next step; the first, where several have the name.
  double peek(std::string_view name) const;

  /// All that is needed to go on exactly, besides the weights: "step", "groups/0/counter",
  /// "groups/0/slow/conv1.weight", "groups/0/inner/exp_avg/conv1.weight", ... Buffers are shared, not copied: save or
  /// clone them before the next step.
  NamedArrays state_tree() const;
  /// Takes over a state tree; the weights are loaded apart, before or after (but before the next step). Throws Error
  /// naming the entry when one is missing, unexpected, of another shape or dtype, or still shares this optimizer's own
  /// buffers; nothing has changed then. Weights and state in one: study/snapshot.h.
  void load_state_tree(const NamedArrays& tree);

  /// Weights and state, copied (study/snapshot.h).
  Snapshot snapshot() const;
  /// Exactly what snapshot() saw. Throws Error when it is of another rule or of other parameters.
  void restore(const Snapshot& snapshot);
  /// The weights of a snapshot of any rule, its step, and its state of equal role; the rest starts fresh.
  ForkReport fork(const Snapshot& snapshot);

  class Impl;
  /// For the rest of optim/.
  Impl& impl() const { return *impl_; }

 private:
  friend class EvaluationWeights;
  std::shared_ptr<Impl> impl_;
};

/// The scope of Optimizer::evaluation_weights(): its end brings the fast weights back, bit for bit.
class EvaluationWeights {
 public:
  ~EvaluationWeights();
  EvaluationWeights(EvaluationWeights&& other) noexcept = default;
  EvaluationWeights& operator=(EvaluationWeights&&) = delete;

 private:
  friend class Optimizer;
  explicit EvaluationWeights(std::weak_ptr<Optimizer::Impl> optimizer) : optimizer_(std::move(optimizer)) {}
  std::weak_ptr<Optimizer::Impl> optimizer_;
};

}  // namespace tandem
