// Finding, checking and changing hyper-parameters by name.
#include <tandem/optim/engine/hyper_parameters.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/optim/text/curve.h>
#include <tandem/optim/text/spec.h>

namespace tandem {
namespace {

void collect_fields(RuleNode& node, const std::string& path, bool is_outer, std::vector<NamedField>& out) {
  Fields fields;
  node.fields(fields);
  for (const Field& field : fields.all()) out.push_back({path + field.name, is_outer, &node, field});
  for (const RuleNode::Child& child : node.children()) {
    const bool outer = is_outer || std::string_view(child.role) == "outer";
    collect_fields(*child.node, fmt::format("{}{}/", path, child.role), outer, out);
  }
}

bool is_numeric(const Field& field) {
  return std::holds_alternative<Schedule*>(field.value) || std::holds_alternative<std::int64_t*>(field.value);
}

}  // namespace

void HyperParameters::bind() {
  for (const NamedField& f : fields()) bind_plateaus(f);
  find_unknown();
}

void HyperParameters::find_unknown() {
  unknown_.clear();
  for (const NamedField& f : fields()) {
    auto* const* schedule = std::get_if<Schedule*>(&f.field.value);
    if (schedule != nullptr && outline(**schedule).is_open) unknown_.push_back(f);
  }
}

void HyperParameters::check(std::int64_t step) const {
  for (const NamedField& f : unknown_)
    f.field.check(f.node->name(), std::get<Schedule*>(f.field.value)->at(step), step);
}

std::string HyperParameters::describe() const {
  if (groups_.size() == 1) return groups_[0]->node->describe();
  std::string text;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    text += fmt::format("{}group {}: {}", i == 0 ? "" : "; ", i, groups_[i]->node->describe());
  }
  return text;
}

void HyperParameters::report(double metric, bool larger_is_better) {
  for (const NamedPlateau& p : plateaus_) {
    const PlateauRule& rule = p.plateau.rule;
    p.plateau.state->report(rule, metric, larger_is_better || rule.maximize != 0);
  }
}

std::vector<NamedField> HyperParameters::fields(std::string_view name) const {
  std::vector<NamedField> all, found;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    collect_fields(*groups_[i]->node, fmt::format("groups/{}/", i), false, all);
  }
  for (const NamedField& f : all) {
    const bool is_meant = name.empty() || name == f.path || (name == f.field.name && !f.is_outer);
    if (is_meant && is_numeric(f.field)) found.push_back(f);
  }
  if (!found.empty() || name.empty()) return found;
  for (const NamedField& f : all) {
    if (name != f.path && name != f.field.name) continue;
    const bool is_flag = std::holds_alternative<bool*>(f.field.value);
    if (is_numeric(f.field)) {
      fail_usage("optimizer", fmt::format("\"{}\" is only of an outer rule", name), fmt::format("in {}", describe()),
                 fmt::format("name it \"{}\"", f.path));
    }
    fail_usage("optimizer", fmt::format("{} is {} and fixed at binding", name, is_flag ? "true or false" : "a word"),
               fmt::format("in {}", describe()), "write it into the rule");
  }
  std::vector<std::string> known;
  for (const NamedField& f : all) {
    if (is_numeric(f.field)) known.push_back(name.find('/') == std::string_view::npos ? f.field.name : f.path);
  }
  const std::string near = nearest_word(name, known.data(), known.size());
  fail_usage("optimizer", fmt::format("no hyper-parameter \"{}\"", name), fmt::format("in {}", describe()),
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

void HyperParameters::set(std::string_view name, const Schedule& value) {
  const std::vector<NamedField> meant = fields(name);
  // All are checked before one is changed: on a copy that stands for each field.
  for (const NamedField& f : meant) {
    const bool is_count = std::holds_alternative<std::int64_t*>(f.field.value);
    const bool is_whole = value.is_constant() && value.scale() == std::floor(value.scale());
    f.field.check(f.node->name(), value);
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
  find_unknown();
}

const Schedule* HyperParameters::find_lr() const {
  for (const NamedField& f : fields()) {
    auto* const* schedule = std::get_if<Schedule*>(&f.field.value);
    if (schedule != nullptr && !f.is_outer && std::string_view(f.field.name) == "lr") return *schedule;
  }
  return nullptr;
}

double HyperParameters::peek(std::string_view name, std::int64_t step) const {
  const Field field = fields(name).front().field;
  if (auto* const* schedule = std::get_if<Schedule*>(&field.value)) return (*schedule)->at(step);
  return static_cast<double>(*std::get<std::int64_t*>(field.value));
}

/// Gives the plateau schedules of a hyper-parameter states of their own.
void HyperParameters::bind_plateaus(const NamedField& f) {
  auto* const* schedule = std::get_if<Schedule*>(&f.field.value);
  if (schedule == nullptr) return;
  plateaus_.erase(
      std::remove_if(plateaus_.begin(), plateaus_.end(), [&](const NamedPlateau& p) { return p.field == f.path; }),
      plateaus_.end());
  std::vector<OwnPlateau> found;
  Schedule own = with_own_plateaus(**schedule, found);
  if (found.empty()) return;
  **schedule = std::move(own);
  for (std::size_t i = 0; i < found.size(); ++i) {
    plateaus_.push_back({f.path, fmt::format("{}/plateau{}", f.path, i == 0 ? "" : fmt::format("{}", i)), found[i]});
  }
}

}  // namespace tandem
