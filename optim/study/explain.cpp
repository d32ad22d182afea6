// Records round a step, and the step again on traced numbers. See explain.h, recorder.h.
#include <tandem/optim/study/explain.h>

#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/optim/engine/optimizer_impl.h>
#include <tandem/optim/engine/running.h>
#include <tandem/optim/study/recorder.h>

namespace tandem {
namespace {

double number_at(const Array& flat, std::int64_t element) {
  if (flat.dtype() == DType::f64) return flat.data<double>()[element];
  return static_cast<double>(flat.data<float>()[element]);
}

/// The parameter in whose name the path of an array ends, the longest such name; or null: it is of the whole group.
const ParameterInfo* owner_of(const std::string& path, const std::vector<ParameterInfo>& parameters) {
  const ParameterInfo* owner = nullptr;
  for (const ParameterInfo& p : parameters) {
    if (path.ends_with("/" + p.name) && (owner == nullptr || p.name.size() > owner->name.size())) owner = &p;
  }
  return owner;
}

/// The numbers of one element of parameter `slot` among the entries of a group.
template <class Record>
std::vector<Record> numbers_of(const std::vector<StateEntry>& entries, std::int64_t element, std::size_t slot,
                               const std::vector<ParameterInfo>& parameters) {
  std::vector<Record> all;
  for (const StateEntry& e : entries) {
    if (e.buffer != nullptr) all.push_back({e.path, number_at(*e.buffer, element)});
    if (e.counter != nullptr) all.push_back({e.path, static_cast<double>(*e.counter)});
    if (e.counters != nullptr) all.push_back({e.path, static_cast<double>((*e.counters)[slot])});
    if (e.number != nullptr) all.push_back({e.path, *e.number});
    if (e.numbers != nullptr) all.push_back({e.path, (*e.numbers)[slot]});
    if (!e.array.defined() || e.array.size() != 1) continue;
    const ParameterInfo* const owner = owner_of(e.path, parameters);
    if (owner == nullptr || owner == &parameters[slot]) all.push_back({e.path, e.array.item()});
  }
  return all;
}

using Values = std::map<std::string, double>;

/// Gives a rule at work on one element the state that was recorded, and tells the trace where it stands.
class Loader : public StateVisitor<Traced> {
 public:
  Loader(const Values& values, Trace& trace) : values_(values), trace_(trace) {}
  void buffer(const std::string& path, Numbers<Traced>& numbers) override {
    *numbers.at(0) = Traced(values_.at(path));
    trace_.name(numbers.at(0), path);
  }
  void counter(const std::string& path, std::int64_t& value) override {
    value = static_cast<std::int64_t>(values_.at(path));
  }
  void counters(const std::string& path, std::vector<std::int64_t>& values) override {
    values[0] = static_cast<std::int64_t>(values_.at(path));
  }
  void array(const std::string& path, Array& array) override {
    if (values_.count(path) != 0) array.fill(values_.at(path));
  }

 private:
  const Values& values_;
  Trace& trace_;
};

class Measurer : public MeasuredVisitor<Traced> {
 public:
  explicit Measurer(const Values& values) : values_(values) {}
  void number(const std::string& path, double& value) override { value = values_.at(path); }
  void numbers(const std::string& path, std::vector<double>& values) override { values[0] = values_.at(path); }
  void buffer(const std::string& path, Numbers<Traced>& values) override { *values.at(0) = Traced(values_.at(path)); }

 private:
  const Values& values_;
};

template <class Record>
Values by_path(const std::vector<Record>& records) {
  Values all;
  for (const Record& r : records) all[r.path] = r.value;
  return all;
}

std::string text_of(double value, DType dtype) {
  return dtype == DType::f32 ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
}

}  // namespace

std::int64_t Recorder::element_of(std::size_t group, std::size_t slot, const std::vector<std::int64_t>& index) const {
  const ParameterInfo& info = groups_[group]->arena.frame().parameters[slot];
  if (static_cast<int>(index.size()) != info.shape.rank()) {
    fail_usage("explain", fmt::format("\"{}\" has rank {}, the index {}", info.name, info.shape.rank(), index.size()),
               info.shape.to_string());
  }
  std::int64_t element = groups_[group]->arena.frame().tensors[slot].begin;
  for (int d = 0; d < info.shape.rank(); ++d) {
    const std::int64_t i = index[static_cast<std::size_t>(d)];
    if (i < 0 || i >= info.shape[d]) {
      fail_usage("explain", fmt::format("index {} of dim {} is outside \"{}\"", i, d, info.name),
                 info.shape.to_string());
    }
    element += i * info.strides[d];
  }
  return element;
}

const Recorder::Chosen* Recorder::find(std::size_t group, std::int64_t element) const {
  for (const Chosen& c : chosen_) {
    if (c.group == group && c.element == element) return &c;
  }
  return nullptr;
}

void Recorder::choose(std::size_t group, std::size_t slot, const std::string& name,
                      const std::vector<std::int64_t>& index) {
  const std::int64_t element = element_of(group, slot, index);
  if (find(group, element) != nullptr) return;
  Chosen chosen;
  chosen.group = group, chosen.slot = slot, chosen.element = element;
  chosen.name = name, chosen.index = index;
  chosen_.push_back(std::move(chosen));
}

void Recorder::before(std::int64_t index) {
  for (Chosen& c : chosen_) {
    RunningGroup& group = *groups_[c.group];
    const Slot& slot = group.arena.slots()[c.slot];
    c.step = index;
    c.rule = group.node->clone();
    c.has_gradient = slot.tensor.has_grad();
    c.before = number_at(group.arena.weights_array(), c.element);
    c.gradient = c.has_gradient ? number_at(group.arena.gradients_array(), c.element) : 0;
    c.state = numbers_of<Record>(group.state(""), c.element, c.slot, group.arena.frame().parameters);
  }
}

void Recorder::after() {
  for (Chosen& c : chosen_) {
    RunningGroup& group = *groups_[c.group];
    c.after = number_at(group.arena.weights_array(), c.element);
    c.measured = numbers_of<Record>(group.measured(""), c.element, c.slot, group.arena.frame().parameters);
  }
}

Explanation Recorder::explain(std::size_t group, std::size_t slot, const std::string& name,
                              const std::vector<std::int64_t>& index) const {
  const std::int64_t element = element_of(group, slot, index);
  const Chosen* const c = find(group, element);
  if (c == nullptr || c->step < 0) {
    fail("explain", fmt::format("\"{}\" was not traced in the last step", name), {}, "call trace(...) before step()");
  }
  const Frame& arena = groups_[group]->arena.frame();
  Frame frame;
  frame.size = 1;
  frame.dtype = arena.dtype;
  frame.workers = arena.workers;
  frame.parameters = {arena.parameters[slot]};
  frame.tensors = frame.all = {{0, 1, arena.tensors[slot].is_decayed}};
  if (c->has_gradient) frame.arrived = frame.tensors;
  frame.has_gradient = {static_cast<char>(c->has_gradient ? 1 : 0)};

  Trace trace(frame.dtype);
  const std::shared_ptr<RuleNode> rule = c->rule->clone();
  const std::unique_ptr<Running<Traced>> running = rule->bind_traced(frame);
  const Values state = by_path(c->state), measured = by_path(c->measured);
  Loader loader(state, trace);
  running->state("", loader);
  Traced weight(c->before), scratch[kScratch<Traced>];
  const Traced gradient(c->gradient);
  running->begin(c->step);
  Measurer measurer(measured);
  running->measured("", measurer);
  running->recall();
  running->update({0, 1, &weight, &gradient, &frame.arrived, scratch});
  running->settle();
  while (running->waits()) {
    running->resume({0, 1, &weight, nullptr, &frame.arrived, scratch});
    running->settle();
  }

  Explanation result;
  result.parameter = name;
  result.index = index;
  result.step = c->step + 1;
  result.rule = rule->describe();
  result.before = c->before;
  result.gradient = c->gradient;
  result.after = c->after;
  result.has_gradient = c->has_gradient;
  result.is_exact = weight.value() == c->after || (std::isnan(weight.value()) && std::isnan(c->after));
  for (const Record& r : c->state) result.state.emplace_back(r.path, r.value);
  for (const Record& r : c->measured) result.measured.emplace_back(r.path, r.value);
  result.lines = trace.lines();
  result.dtype = frame.dtype;
  return result;
}

std::string Explanation::to_string() const {
  const auto number = [&](double value) { return text_of(value, dtype); };
  std::string text = fmt::format("{}[{}], step {}: {}\n  before  w = {}\n", parameter, fmt::join(index, ", "), step,
                                 rule, number(before));
  text += has_gradient ? fmt::format("          g = {}\n", number(gradient)) : "          no gradient in this step\n";
  for (const auto& [path, value] : state) {
    const bool is_missed = path == "missed" || path.ends_with("/missed");
    if (is_missed && value == 0) continue;
    text += fmt::format("          {} = {}{}\n", path, number(value),
                        is_missed ? ", updates without a gradient: t is less by these" : "");
  }
  for (const auto& [path, value] : measured)
    text += fmt::format("  whole   {} = {}\n", path, fmt::format("{:.9g}", value));
  std::string formula;
  for (const TracedLine& line : lines) {
    if (line.formula != formula) text += fmt::format("  {}\n", line.formula);
    formula = line.formula;
    const std::string left = fmt::format("    {} = ", line.name);
    text += left + line.symbols;
    if (line.numbers != line.symbols) text += fmt::format("\n    {:>{}}{}", "= ", left.size() - 4, line.numbers);
    if (line.numbers != number(line.value))
      text += fmt::format("\n    {:>{}}{}", "= ", left.size() - 4, number(line.value));
    text += "\n";
  }
  text += fmt::format("  after   w = {}{}\n", number(after),
                      is_exact ? ", as the optimizer has it" : ": the optimizer has another number");
  return text;
}

void Optimizer::trace(std::string_view parameter, const std::vector<std::int64_t>& index) {
  const auto [group, slot] = impl_->find(parameter);
  const auto place = static_cast<std::size_t>(slot - impl_->groups[group]->arena.slots().data());
  impl_->recorder.choose(group, place, slot->name, index);
}

void Optimizer::end_traces() { impl_->recorder.clear(); }

Explanation Optimizer::explain(std::string_view parameter, const std::vector<std::int64_t>& index) const {
  const auto [group, slot] = impl_->find(parameter);
  const auto place = static_cast<std::size_t>(slot - impl_->groups[group]->arena.slots().data());
  return impl_->recorder.explain(group, place, slot->name, index);
}

}  // namespace tandem
