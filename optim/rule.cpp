// Printing and checking of rules, and schedules over all leaves. Reading them: parse.cpp.
#include <tandem/optim/rule.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/optim/engine/running.h>
#include <tandem/optim/text/curve.h>
#include <tandem/optim/text/spec.h>

namespace tandem {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

void scale_leaves(RuleNode& node, const Schedule& schedule) {
  const std::vector<RuleNode::Child> children = node.children();
  for (const RuleNode::Child& child : children) {
    if (std::string_view(child.role) == "inner") scale_leaves(*child.node, schedule);
  }
  if (!children.empty()) return;
  Fields fields;
  node.fields(fields);
  if (const Field* lr = fields.find("lr")) {
    Schedule& value = *std::get<Schedule*>(lr->value);
    value = value * schedule;
  }
}

}  // namespace

bool Range::contains(double value) const {
  if (!std::isfinite(value)) return false;
  const bool above = is_low_open ? value > low : value >= low;
  return above && (is_high_open ? value < high : value <= high);
}

std::string Range::text() const {
  if (std::isinf(low)) return fmt::format("{} {}", is_high_open ? "below" : "at most", spec::number(high));
  if (std::isinf(high)) return fmt::format("{} {}", is_low_open ? "above" : "at least", spec::number(low));
  return fmt::format("in {}{}, {}{}", is_low_open ? '(' : '[', spec::number(low), spec::number(high),
                     is_high_open ? ')' : ']');
}

std::string Field::text() const {
  return std::visit(Overloaded{
                        [](const Schedule* s) { return s->describe(); },
                        [](const std::int64_t* n) { return fmt::format("{}", *n); },
                        [](const bool* b) { return std::string(*b ? "true" : "false"); },
                        [](const InnerState* s) {
                          static const char* const names[] = {"maintain", "reset", "interpolate"};
                          return std::string(names[static_cast<int>(*s)]);
                        },
                    },
                    value);
}

void Field::check(std::string_view where, double at, std::int64_t step) const {
  if (range.contains(at)) return;
  const std::string when = step < 0 ? std::string() : fmt::format(" at step {}", step);
  const char* const finite = !std::isfinite(at) && std::isinf(range.high) ? "finite and " : "";
  fail_usage(where, fmt::format("{} is {}{}, must be {}{}", name, spec::number(at), when, finite, range.text()), {},
             range.remedy);
}

void Field::check(std::string_view where, const Schedule& schedule) const {
  check(where, schedule.scale());
  if (range.is_whole && schedule.is_constant() && schedule.scale() != std::floor(schedule.scale())) {
    fail_usage(where, fmt::format("{} is {}, must be a whole number", name, spec::number(schedule.scale())));
  }
  const ScheduleOutline line = outline(schedule);
  if (line.is_open) return;
  for (const std::int64_t step : line.steps) {
    const double at = schedule.at(step);
    if (!(range.is_low_open && at == range.low)) check(where, at, step);
  }
}

std::int64_t whole(double value) { return static_cast<std::int64_t>(std::floor(value + 0.5)); }

std::vector<std::string> Fields::texts() const {
  std::vector<std::string> texts;
  for (const Field& field : all_) texts.push_back(field.text());
  return texts;
}

const Field* Fields::find(std::string_view name) const {
  for (const Field& field : all_) {
    if (name == field.name) return &field;
  }
  return nullptr;
}

void RuleNode::check() {
  Fields all;
  fields(all);
  for (const Field& field : all.all()) {
    if (const auto* schedule = std::get_if<Schedule*>(&field.value)) {
      field.check(name(), **schedule);
    } else if (const auto* count = std::get_if<std::int64_t*>(&field.value)) {
      field.check(name(), static_cast<double>(**count));
    }
  }
}

std::string RuleNode::describe() const {
  const std::shared_ptr<RuleNode> copy = clone();
  std::vector<std::string> parts;
  for (const Child& child : copy->children()) parts.push_back(child.node->describe());
  Fields all;
  copy->fields(all);
  const std::vector<std::string> defaults = default_texts();
  for (std::size_t i = 0; i < all.all().size(); ++i) {
    const Field& field = all.all()[i];
    const std::string text = field.text();
    if (!field.is_always_printed && text == defaults[i]) continue;
    const bool is_flag = std::holds_alternative<bool*>(field.value) && text == "true";
    parts.push_back(is_flag ? field.name : fmt::format("{}={}", field.name, text));
  }
  return fmt::format("{}({})", name(), fmt::join(parts, ", "));
}

std::string Rule::describe() const { return node_->describe(); }

bool Rule::needs_closure() const {
  if (node_->is_groups()) {
    const std::shared_ptr<RuleNode> copy = node_->clone();
    const std::vector<RuleNode::Child> parts = copy->children();
    return std::any_of(parts.begin(), parts.end(),
                       [](const RuleNode::Child& part) { return Rule(part.node->clone()).needs_closure(); });
  }
  // Asked of the rule at work, so that rules of one's own need not say it twice: bound to one small parameter.
  Frame frame;
  frame.size = 16;
  frame.parameters = {{"w", {16}, {1}}};
  frame.tensors = frame.all = frame.arrived = {{0, 16, true}};
  frame.has_gradient = {1};
  return node_->clone()->bind_float(frame)->needs_closure();
}

Rule with_schedule(const Rule& rule, const Schedule& schedule) {
  std::shared_ptr<RuleNode> node = rule.node().clone();
  scale_leaves(*node, schedule);
  return Rule(std::move(node));
}

}  // namespace tandem
