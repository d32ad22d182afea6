// What an Optimizer is made of: its groups, their hyper-parameters, steps, the state tree, evaluation scopes.
// Private to optim/ (optimizer.cpp, study/).
#pragma once

#include <string>
#include <vector>

#include <tandem/optim/engine/gradient_mean.h>
#include <tandem/optim/engine/hyper_parameters.h>
#include <tandem/optim/engine/stepper.h>
#include <tandem/optim/engine/tree_entry.h>
#include <tandem/optim/optimizer.h>
#include <tandem/optim/study/recorder.h>

namespace tandem {

class Optimizer::Impl {
 public:
  explicit Impl(const std::vector<Group>& groups);
  ~Impl();

  void add_group(const Group& group);
  void zero_grad();
  void step();
  Tensor step(const std::function<Tensor()>& closure);
  bool needs_closure() const;
  std::int64_t copies() const;
  void average_over(std::shared_ptr<Workers> workers);
  bool averages_gradients() const { return gradient_mean_ != nullptr; }
  std::unique_ptr<Arrivals> overlap();
  void watch_steps(bool on);
  void on_sync(std::function<void(const SyncEvent&)> callback);
  void open_scope();
  void close_scope();
  bool is_evaluating() const { return scope_open_; }
  NamedArrays state_tree();
  void load_state_tree(const NamedArrays& tree);

  /// The part of a loop's buffer that belongs to a parameter; Error when there is no such parameter or loop.
  Array slow(std::string_view parameter, std::size_t level);
  Array fast(std::string_view parameter, std::size_t level);

  std::vector<TreeEntry> entries();
  /// Clones of all parameters, by name.
  NamedArrays weights() const;
  /// Weights and state that belong together.
  void restore(const NamedArrays& weights, const NamedArrays& tree);
  void start_cycles() {
    for (const auto& group : groups) group->start_cycles();
  }
  /// The slot of a parameter and its group. Throws UsageError for an unknown name.
  std::pair<std::size_t, const Slot*> find(std::string_view parameter) const;
  void require_no_scope(const char* what) const;
  void require_no_callback(const char* what) const;

  std::vector<std::unique_ptr<RunningGroup>> groups;
  HyperParameters hyper_parameters{groups};
  Stepper stepper{groups};
  Recorder recorder{groups};
  std::int64_t steps = 0;

 private:
  void refuse_frozen_gradients() const;
  void absorb_changes(bool is_step);
  void bind(const std::vector<Group>& added);
  void join_workers();
  /// The gradients become their mean, if they are to; the mean of the losses.
  double mean_over_workers(double loss);
  void run_step(const Evaluate* evaluate, double loss);

  std::shared_ptr<Workers> workers_;             // null: nobody trains with this process
  std::unique_ptr<GradientMean> gradient_mean_;  // null: there is none
  NamedTensors frozen_;                          // not bound: an error when a gradient arrives
  bool accept_weights_ = false;
  bool scope_open_ = false;
  std::vector<RunningGroup*> swapped_;
};

}  // namespace tandem
