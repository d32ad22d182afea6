// The Optimizer: its groups, hyper-parameters by name, the state tree and evaluation scopes. A step: group.cpp.
#include <tandem/optim/optimizer.h>

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/optim/group.h>
#include <tandem/optim/plateau.h>
#include <tandem/optim/spec.h>
#include <tandem/optim/tree_entry.h>

namespace tandem {
namespace {

constexpr const char* kScope = "an evaluation_weights() scope is open";

struct NamedField {
  std::string path;
  bool is_outer = false;  // of an outer rule
  RuleNode* node = nullptr;
  Field field;
};

void collect_fields(RuleNode& node, const std::string& path, bool is_outer, std::vector<NamedField>& out) {
  Fields fields;
  node.fields(fields);
  for (const Field& field : fields.all()) out.push_back({path + field.name, is_outer, &node, field});
  for (const RuleNode::Child& child : node.children()) {
    const bool outer = is_outer || std::string_view(child.role) == "outer";
    collect_fields(*child.node, fmt::format("{}{}/", path, child.role), outer, out);
  }
}

/// A plateau schedule at work: the hyper-parameter it belongs to, and the name of its state.
struct NamedPlateau {
  std::string field, name;
  BoundPlateau plateau;
};

bool is_numeric(const Field& field) {
  return std::holds_alternative<Schedule*>(field.value) || std::holds_alternative<std::int64_t*>(field.value);
}

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
    for (const NamedField& f : fields()) bind_plateaus(f);
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
    absorb_changes();
    for (const auto& group : groups_) group->step(steps_);
    ++steps_;
  }

  Tensor step(const std::function<Tensor()>& closure) {
    require_no_scope("step");
    absorb_changes();
    Tensor loss;
    const std::function<void()> evaluate = [&] {
      zero_grad();
      loss = closure();
      for (const auto& group : groups_) group->arena.accept_changes();  // a closure brings back what it moves
    };
    evaluate();
    const Tensor first = loss;
    for (const auto& group : groups_) group->step(steps_, &evaluate);
    ++steps_;
    return first;
  }

  bool needs_closure() const {
    return std::any_of(groups_.begin(), groups_.end(), [](const auto& group) { return group->needs_closure(); });
  }

  void report(double metric) {
    for (const NamedPlateau& p : plateaus_) p.plateau.state->report(p.plateau.rule, metric);
  }

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

  std::string describe() const {
    if (groups_.size() == 1) return groups_[0]->node->describe();
    std::string text;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      text += fmt::format("{}group {}: {}", i == 0 ? "" : "; ", i, groups_[i]->node->describe());
    }
    return text;
  }

  /// Numeric fields, all or those that `name` means.
  std::vector<NamedField> fields(std::string_view name = {}) const {
    std::vector<NamedField> all, found;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      collect_fields(*groups_[i]->node, fmt::format("groups/{}/", i), false, all);
    }
    for (const NamedField& f : all) {
      const bool is_meant = name.empty() || name == f.path || (name == f.field.name && !f.is_outer);
      if (is_meant && is_numeric(f.field)) found.push_back(f);
    }
    if (!found.empty() || name.empty()) return found;
    std::vector<std::string> known;
    for (const NamedField& f : all) known.push_back(name.find('/') == std::string_view::npos ? f.field.name : f.path);
    const std::string near = nearest_word(name, known.data(), known.size());
    fail_usage("optimizer", fmt::format("no hyper-parameter \"{}\"", name), fmt::format("in {}", describe()),
               near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
  }

  void set(std::string_view name, const Schedule& value) {
    const std::vector<NamedField> meant = fields(name);
    // All are checked before one is changed: on a copy that stands for each field.
    for (const NamedField& f : meant) {
      const bool is_count = std::holds_alternative<std::int64_t*>(f.field.value);
      const bool is_whole = value.is_constant() && value.scale() == std::floor(value.scale());
      if (!f.field.range.contains(value.scale())) {
        fail_usage(f.node->name(),
                   fmt::format("{} is {}, must be {}", f.field.name, spec::number(value.scale()), f.field.range.text()),
                   {}, f.field.range.remedy);
      }
      if (is_count && !is_whole) {
        fail_usage(f.node->name(), fmt::format("{} is {}, must be a whole number", f.field.name, value.describe()));
      }
    }
    for (const NamedField& f : meant) {
      if (auto* const* schedule = std::get_if<Schedule*>(&f.field.value)) **schedule = value;
      bind_plateaus(f);
      if (auto* const* count = std::get_if<std::int64_t*>(&f.field.value)) {
        **count = static_cast<std::int64_t>(value.scale());
      }
    }
  }

  double peek(std::string_view name) const {
    const Field field = fields(name).front().field;
    if (auto* const* schedule = std::get_if<Schedule*>(&field.value)) return (*schedule)->at(steps_);
    return static_cast<double>(*std::get<std::int64_t*>(field.value));
  }

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
  void require_no_scope(const char* what) const {
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
        for (const Slot& slot : arena.slots()) {
          all.push_back({entry.path + "/" + slot.name, {}, arena.view(*entry.buffer, slot)});
          for (const std::string& alias : slot.aliases) all.back().other_names.push_back(entry.path + "/" + alias);
        }
      }
    }
    for (const NamedPlateau& p : plateaus_) all.push_back({p.name, {}, p.plateau.state->array()});
    return all;
  }

  /// Gives the plateau schedules of a hyper-parameter states of their own.
  void bind_plateaus(const NamedField& f) {
    auto* const* schedule = std::get_if<Schedule*>(&f.field.value);
    if (schedule == nullptr) return;
    plateaus_.erase(
        std::remove_if(plateaus_.begin(), plateaus_.end(), [&](const NamedPlateau& p) { return p.field == f.path; }),
        plateaus_.end());
    std::vector<BoundPlateau> found;
    Schedule own = with_own_plateaus(**schedule, found);
    if (found.empty()) return;
    **schedule = std::move(own);
    for (std::size_t i = 0; i < found.size(); ++i) {
      plateaus_.push_back({f.path, fmt::format("{}/plateau{}", f.path, i == 0 ? "" : fmt::format("{}", i)), found[i]});
    }
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
  std::vector<NamedPlateau> plateaus_;
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
void Optimizer::report(double metric) { impl_->report(metric); }
std::int64_t Optimizer::step_count() const { return impl_->step_count(); }
std::string Optimizer::describe() const { return impl_->describe(); }
void Optimizer::set(std::string_view name, const Schedule& value) { impl_->set(name, value); }
double Optimizer::peek(std::string_view name) const { return impl_->peek(name); }
NamedArrays Optimizer::state_tree() const { return impl_->state_tree(); }
void Optimizer::load_state_tree(const NamedArrays& tree) { impl_->load_state_tree(tree); }

std::vector<std::string> Optimizer::hyper_parameters() const {
  std::vector<std::string> names;
  for (const NamedField& f : impl_->fields()) names.push_back(f.path);
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
