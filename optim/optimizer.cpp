// The Optimizer: its groups, the state tree and evaluation scopes. A step: group_steps.cpp, group.cpp; hyper-parameters
// by name: hyper_parameters.cpp.
#include <tandem/optim/optimizer.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/optim/group_steps.h>
#include <tandem/optim/hyper_parameters.h>
#include <tandem/optim/tree_entry.h>

namespace tandem {
namespace {

constexpr const char* kScope = "an evaluation_weights() scope is open";

}  // namespace

class Optimizer::Impl {
 public:
  explicit Impl(const std::vector<Group>& groups) {
    std::vector<std::vector<Slot>> all;
    std::map<const TensorState*, std::size_t> group_of;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      all.push_back(collect_slots(groups[i].parameters));
      for (const Slot& slot : all.back()) {
        const auto [entry, is_new] = group_of.emplace(slot.tensor.state(), i);
        if (!is_new) {
          fail("optimizer", fmt::format("parameter \"{}\" is in groups {} and {}", slot.name, entry->second, i));
        }
      }
    }
    if (groups.empty()) fail("optimizer", "there is no group of parameters");
    for (std::size_t i = 0; i < groups.size(); ++i)
      groups_.push_back(make_group(std::move(all[i]), groups[i].rule, this));
    hyper_parameters_.bind();
  }

  ~Impl() {
    if (scope_open_) close_scope();
  }

  void zero_grad() {
    for (const auto& group : groups_) group->arena.zero_grad();
  }

  void step() {
    require_no_scope("step");
    if (needs_closure())
      fail("optimizer", "the rule needs the loss at other weights", describe(), "call step(closure)");
    hyper_parameters_.check(steps_);
    absorb_changes();
    group_steps_.step(steps_, nullptr);
  }

  Tensor step(const std::function<Tensor()>& closure) {
    require_no_scope("step");
    hyper_parameters_.check(steps_);
    absorb_changes();
    Tensor loss;
    const std::function<void()> evaluate = [&] {
      zero_grad();
      loss = closure();
      for (const auto& group : groups_) group->arena.accept_changes();  // a closure brings back what it moves
    };
    evaluate();
    const Tensor first = loss;
    group_steps_.step(steps_, &evaluate);
    return first;
  }

  GroupSteps& group_steps() { return group_steps_; }
  void watch_steps(bool on) {
    require_no_callback("watch_steps");
    group_steps_.watch(on, hyper_parameters_.find_lr());
  }
  void on_sync(std::function<void(const SyncEvent&)> callback) {
    require_no_callback("on_sync");
    group_steps_.on_sync(std::move(callback));
  }

  bool is_evaluating() const { return scope_open_; }

  bool needs_closure() const {
    return std::any_of(groups_.begin(), groups_.end(), [](const auto& group) { return group->needs_closure(); });
  }

  void report(double metric, bool larger_is_better) { hyper_parameters_.report(metric, larger_is_better); }

  std::int64_t step_count() const { return steps_; }

  void open_scope() {
    require_no_scope("evaluation_weights");
    absorb_changes();
    swapped_.clear();
    for (const auto& group : groups_) {
      if (group->swap_evaluation_weights()) swapped_.push_back(group.get());
      group->arena.lock(kScope);
    }
    scope_open_ = true;
  }

  void close_scope() {
    for (const auto& group : groups_) group->arena.lock(nullptr);
    for (BoundGroup* group : swapped_) group->swap_evaluation_weights();
    scope_open_ = false;
  }

  std::string describe() const { return hyper_parameters_.describe(); }

  HyperParameters& hyper_parameters() { return hyper_parameters_; }
  double peek(std::string_view name) const { return hyper_parameters_.peek(name, steps_); }

  NamedArrays state_tree() {
    require_no_scope("state_tree");
    absorb_changes();
    return write_tree(entries());
  }

  void load_state_tree(const NamedArrays& tree) {
    require_no_scope("load_state_tree");
    read_tree(entries(), tree, describe());
    accept_weights_ = true;
  }

 private:
  void require_no_callback(const char* what) const {
    if (!group_steps_.in_callback()) return;
    fail("optimizer", fmt::format("{} inside an on_sync callback", what), {}, "call it when the step is complete");
  }
  void require_no_scope(const char* what) const {
    require_no_callback(what);
    if (scope_open_)
      fail("optimizer", fmt::format("{} inside an evaluation_weights() scope", what), {}, "close it first");
  }

  std::vector<TreeEntry> entries() {
    std::vector<TreeEntry> all;
    all.push_back({"step", {}, {}, &steps_});
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const Arena& arena = groups_[i]->arena;
      for (const StateEntry& entry : groups_[i]->state(fmt::format("groups/{}/", i))) {
        if (entry.counter != nullptr) {
          all.push_back({entry.path, {}, {}, entry.counter});
          continue;
        }
        for (std::size_t s = 0; s < arena.slots().size(); ++s) {
          const Slot& slot = arena.slots()[s];
          all.push_back({entry.path + "/" + slot.name});
          if (entry.counters != nullptr) {
            all.back().counter = &(*entry.counters)[s];
            all.back().is_zero_left_out = true;
          } else {
            all.back().array = arena.view(*entry.buffer, slot);
          }
          for (const std::string& alias : slot.aliases) all.back().other_names.push_back(entry.path + "/" + alias);
        }
      }
    }
    for (const NamedPlateau& p : hyper_parameters_.plateaus()) all.push_back({p.name, {}, p.plateau.state->array()});
    return all;
  }

  /// Weights changed by someone else: slow weights that were kept would pull them back. After load_state_tree the
  /// weights belong to the state that was loaded.
  void absorb_changes() {
    bool is_changed = false;
    for (const auto& group : groups_) is_changed = is_changed || group->arena.is_changed();
    if (is_changed) {
      for (const auto& group : groups_) {
        if (accept_weights_) {
          group->arena.accept_changes();
        } else {
          group->start_cycles();
        }
      }
    }
    accept_weights_ = false;
  }

  std::vector<std::unique_ptr<BoundGroup>> groups_;
  HyperParameters hyper_parameters_{groups_};
  GroupSteps group_steps_{groups_};
  std::int64_t steps_ = 0;
  bool accept_weights_ = false;
  bool scope_open_ = false;
  std::vector<BoundGroup*> swapped_;
};

Optimizer::Optimizer(const NamedTensors& parameters, const Rule& rule)
    : Optimizer(std::vector<Group>{{parameters, rule}}) {}
Optimizer::Optimizer(const std::vector<Group>& groups) : impl_(std::make_shared<Impl>(groups)) {}
Optimizer::~Optimizer() = default;
Optimizer::Optimizer(Optimizer&&) noexcept = default;
Optimizer& Optimizer::operator=(Optimizer&&) noexcept = default;

void Optimizer::zero_grad() { impl_->zero_grad(); }
void Optimizer::step() { impl_->step(); }
Tensor Optimizer::step(const std::function<Tensor()>& closure) { return impl_->step(closure); }
bool Optimizer::needs_closure() const { return impl_->needs_closure(); }
void Optimizer::watch_steps(bool on) { impl_->watch_steps(on); }
const StepReport& Optimizer::last_step() const { return impl_->group_steps().last(); }
void Optimizer::on_sync(std::function<void(const SyncEvent&)> callback) { impl_->on_sync(std::move(callback)); }
bool Optimizer::is_evaluating() const { return impl_->is_evaluating(); }
void Optimizer::report(double metric, bool larger_is_better) { impl_->report(metric, larger_is_better); }
std::int64_t Optimizer::step_count() const { return impl_->step_count(); }
std::string Optimizer::describe() const { return impl_->describe(); }
void Optimizer::set(std::string_view name, const Schedule& value) { impl_->hyper_parameters().set(name, value); }
double Optimizer::peek(std::string_view name) const { return impl_->peek(name); }
NamedArrays Optimizer::state_tree() const { return impl_->state_tree(); }
void Optimizer::load_state_tree(const NamedArrays& tree) { impl_->load_state_tree(tree); }

std::vector<std::string> Optimizer::hyper_parameters() const {
  std::vector<std::string> names;
  for (const NamedField& f : impl_->hyper_parameters().fields()) names.push_back(f.path);
  return names;
}

EvaluationWeights Optimizer::evaluation_weights() {
  impl_->open_scope();
  return EvaluationWeights(impl_);
}

EvaluationWeights::~EvaluationWeights() {
  if (const auto optimizer = optimizer_.lock()) optimizer->close_scope();
}

}  // namespace tandem
