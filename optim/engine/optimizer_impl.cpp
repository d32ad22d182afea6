// Binding of groups, the state tree and evaluation scopes. A step: stepper.cpp, group.cpp; hyper-parameters by name:
// hyper_parameters.cpp.
#include <tandem/optim/engine/optimizer_impl.h>

#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>

#include <tandem/autograd/evaluations.h>
#include <tandem/core/error.h>
#include <tandem/core/profile.h>

namespace tandem {
namespace {

constexpr const char* kScope = "an evaluation_weights() scope is open";

/// The path of an entry of one parameter.
std::string entry_name(const StateEntry& entry, const std::string& parameter) { return entry.path + "/" + parameter; }

}  // namespace

Optimizer::Impl::Impl(const std::vector<Group>& given) {
  bind(given);
  const bool is_empty =
      std::all_of(groups.begin(), groups.end(), [](const auto& g) { return g->arena.slots().empty(); });
  if (given.empty()) fail("optimizer", "there is no group of parameters");
  if (is_empty) {
    std::size_t count = 0;
    for (const Group& group : given) count += group.parameters.size();
    fail("optimizer", "no parameter requires a gradient",
         fmt::format("{} parameter{} given", count, count == 1 ? "" : "s"));
  }
}

void Optimizer::Impl::bind(const std::vector<Group>& added) {
  std::vector<std::vector<Slot>> all;
  NamedTensors frozen;
  std::map<const TensorState*, std::size_t> group_of;
  for (std::size_t i = 0; i < added.size(); ++i) {
    all.push_back(collect_slots(added[i].parameters, frozen));
    for (const Slot& slot : all.back()) {
      const std::size_t number = groups.size() + i;
      const auto [entry, is_new] = group_of.emplace(slot.tensor.state(), number);
      if (!is_new) {
        fail("optimizer", fmt::format("parameter \"{}\" is in groups {} and {}", slot.name, entry->second, number));
      }
    }
  }
  for (std::size_t i = 0; i < added.size(); ++i) groups.push_back(make_group(std::move(all[i]), added[i].rule, this));
  for (const auto& slots : groups) {
    for (const Slot& slot : slots->arena.slots()) {
      std::erase_if(frozen_, [&](const NamedTensor& f) { return f.tensor.state() == slot.tensor.state(); });
    }
  }
  frozen_.insert(frozen_.end(), frozen.begin(), frozen.end());
  hyper_parameters.bind();
}

Optimizer::Impl::~Impl() {
  if (scope_open_) close_scope();
}

void Optimizer::Impl::add_group(const Group& group) {
  require_no_scope("add_group");
  bind({group});
  stepper.groups_changed(hyper_parameters.find_lr());
  join_workers();
}

void Optimizer::Impl::zero_grad() {
  if (gradient_mean_) gradient_mean_->forget();
  for (const auto& group : groups) group->arena.zero_grad();
}

void Optimizer::Impl::run_step(const Evaluate* evaluate, double loss) {
  const profile::PhaseScope phase(profile::Phase::update);
  recorder.before(steps);
  stepper.step(steps, evaluate, loss);
  recorder.after();
}

void Optimizer::Impl::step() {
  require_no_scope("step");
  if (needs_closure()) {
    fail("optimizer", "the rule needs the loss at other weights", hyper_parameters.describe(), "call step(closure)");
  }
  refuse_frozen_gradients();
  hyper_parameters.check(steps);
  absorb_changes(true);
  if (gradient_mean_) gradient_mean_->finish();
  run_step(nullptr, std::numeric_limits<double>::quiet_NaN());
}

Tensor Optimizer::Impl::step(const std::function<Tensor()>& closure) {
  require_no_scope("step");
  hyper_parameters.check(steps);
  absorb_changes(true);
  Evaluations evaluations;
  Tensor loss;
  const Evaluate evaluate = [&] {
    const profile::PhaseScope phase(profile::Phase::forward);
    zero_grad();
    evaluations.begin(static_cast<std::size_t>(stepper.copy()));
    loss = closure();
    for (const auto& group : groups) group->arena.accept_changes();  // a closure brings back what it moves
    return mean_over_workers(loss.defined() && loss.size() == 1 ? loss.item()
                                                                : std::numeric_limits<double>::quiet_NaN());
  };
  const double first = evaluate();
  const Tensor result = gradient_mean_ ? Tensor(Array::full({}, first, DType::f64)) : loss;
  refuse_frozen_gradients();
  run_step(&evaluate, first);
  return result;
}

void Optimizer::Impl::refuse_frozen_gradients() const {
  for (const NamedTensor& f : frozen_) {
    if (!f.tensor.requires_grad() || !f.tensor.has_grad()) continue;
    fail("optimizer", fmt::format("parameter \"{}\" has a gradient, but was frozen when it was bound", f.name), {},
         "give it to add_group(), or unfreeze before the Optimizer is made");
  }
}

bool Optimizer::Impl::needs_closure() const {
  return std::any_of(groups.begin(), groups.end(), [](const auto& group) { return group->needs_closure(); });
}

std::int64_t Optimizer::Impl::copies() const {
  std::int64_t most = 1;
  for (const auto& group : groups) most = std::max(most, group->copies());
  return most;
}

void Optimizer::Impl::watch_steps(bool on) {
  require_no_callback("watch_steps");
  stepper.watch(on, hyper_parameters.find_lr());
}

void Optimizer::Impl::on_sync(std::function<void(const SyncEvent&)> callback) {
  require_no_callback("on_sync");
  stepper.on_sync(std::move(callback));
}

void Optimizer::Impl::open_scope() {
  require_no_scope("evaluation_weights");
  absorb_changes(false);
  swapped_.clear();
  for (const auto& group : groups) {
    if (group->swap_evaluation_weights()) swapped_.push_back(group.get());
    group->arena.lock(kScope);
  }
  scope_open_ = true;
}

/// Weights that somebody has written meanwhile are kept, and cycles start from them.
void Optimizer::Impl::close_scope() {
  const bool is_changed =
      std::any_of(groups.begin(), groups.end(), [](const auto& g) { return g->arena.is_changed(); });
  for (const auto& group : groups) group->arena.lock(nullptr);
  for (RunningGroup* group : swapped_) {
    if (!is_changed) group->swap_evaluation_weights();
  }
  if (is_changed) {
    for (const auto& group : groups) group->start_cycles();
  }
  scope_open_ = false;
}

NamedArrays Optimizer::Impl::state_tree() {
  require_no_scope("state_tree");
  absorb_changes(false);
  return write_tree(entries());
}

void Optimizer::Impl::load_state_tree(const NamedArrays& tree) {
  require_no_scope("load_state_tree");
  read_tree(entries(), tree, hyper_parameters.describe());
  accept_weights_ = true;
}

std::vector<TreeEntry> Optimizer::Impl::entries() {
  std::vector<TreeEntry> all;
  all.push_back({"step", {}, {}, &steps});
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Arena& arena = groups[i]->arena;
    for (const StateEntry& entry : groups[i]->state(fmt::format("groups/{}/", i))) {
      if (entry.counter != nullptr || entry.array.defined()) {
        all.push_back({entry.path, {}, entry.array, entry.counter});
        continue;
      }
      for (std::size_t s = 0; s < arena.slots().size(); ++s) {
        const Slot& slot = arena.slots()[s];
        all.push_back({entry_name(entry, slot.name)});
        if (entry.counters != nullptr) {
          all.back().counter = &(*entry.counters)[s];
          all.back().is_zero_left_out = true;
        } else {
          all.back().array = arena.view(*entry.buffer, slot);
        }
        for (const std::string& alias : slot.aliases) all.back().other_names.push_back(entry_name(entry, alias));
      }
    }
  }
  for (const NamedPlateau& p : hyper_parameters.plateaus()) all.push_back({p.name, {}, p.plateau.state->array()});
  return all;
}

NamedArrays Optimizer::Impl::weights() const {
  NamedArrays all;
  for (const auto& group : groups) {
    for (const Slot& slot : group->arena.slots()) all.push_back({slot.name, slot.tensor.value().clone()});
  }
  return all;
}

void Optimizer::Impl::restore(const NamedArrays& weights, const NamedArrays& tree) {
  load_state_tree(tree);
  for (const auto& group : groups) {
    for (const Slot& slot : group->arena.slots()) {
      const auto found =
          std::find_if(weights.begin(), weights.end(), [&](const NamedArray& w) { return w.name == slot.name; });
      if (found == weights.end()) fail("optimizer", fmt::format("no weights of \"{}\"", slot.name));
      Array value = slot.tensor.value();
      value.copy_from(found->array);
      value.mark_changed();
    }
  }
  absorb_changes(false);
}

std::pair<std::size_t, const Slot*> Optimizer::Impl::find(std::string_view parameter) const {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const Slot& slot : groups[i]->arena.slots()) {
      if (slot.name == parameter) return {i, &slot};
      if (std::find(slot.aliases.begin(), slot.aliases.end(), parameter) != slot.aliases.end()) return {i, &slot};
      known.push_back(slot.name);
    }
  }
  const std::string near = nearest_word(parameter, known.data(), known.size());
  fail_usage("optimizer", fmt::format("no parameter \"{}\"", parameter), fmt::format("{} are bound", known.size()),
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

Array Optimizer::Impl::slow(std::string_view parameter, std::size_t level) {
  const auto [group, slot] = find(parameter);
  const auto& loops = groups[group]->loops();
  if (level >= loops.size()) {
    fail("optimizer", fmt::format("there is no loop {}", level), groups[group]->node->describe());
  }
  return groups[group]->arena.view(*loops[level].slow, *slot);
}

Array Optimizer::Impl::fast(std::string_view parameter, std::size_t level) {
  slow(parameter, level);  // the same errors
  const auto [group, slot] = find(parameter);
  const Array* const fast = groups[group]->fast(level);
  return fast == nullptr ? Array{} : groups[group]->arena.view(*fast, *slot);
}

void Optimizer::Impl::require_no_callback(const char* what) const {
  if (!stepper.in_callback()) return;
  fail("optimizer", fmt::format("{} inside an on_sync callback", what), {}, "call it when the step is complete");
}

void Optimizer::Impl::require_no_scope(const char* what) const {
  require_no_callback(what);
  if (scope_open_)
    fail("optimizer", fmt::format("{} inside an evaluation_weights() scope", what), {}, "close it first");
}

/// Weights changed by someone else: slow weights that were kept would pull them back. After load_state_tree the weights
/// belong to the state that was loaded, until the next step.
void Optimizer::Impl::absorb_changes(bool is_step) {
  const bool is_changed =
      std::any_of(groups.begin(), groups.end(), [](const auto& g) { return g->arena.is_changed(); });
  if (is_changed) {
    for (const auto& group : groups) {
      if (accept_weights_) {
        group->arena.accept_changes();
      } else {
        group->start_cycles();
      }
    }
  }
  if (is_step) accept_weights_ = false;
}

}  // namespace tandem
