// Rule: a plain description of how to update weights, `lookahead(adam({.lr = 3e-4}), {.k = 5})`. A value: composing
// rules is calling functions, copies are cheap and equal. Optimizer (optimizer.h) binds a rule to parameters. Rules
// themselves: sgd.h, momentum.h, adam.h, adamw.h, lookahead.h, outer_loop.h, clip.h. One of your own: leaf.h,
// combinator.h.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <tandem/optim/schedule.h>

namespace tandem {

class RuleNode;
class Traced;
struct Frame;
template <class T>
class Running;

/// What happens to the state of the inner rule when slow weights step (a sync).
/// maintain: nothing. reset: all buffers zero and the step count fresh. interpolate: first moments become
/// alpha * now + (1 - alpha) * at the last sync.
enum class InnerState { maintain, reset, interpolate };

class Rule {
 public:
  explicit Rule(std::shared_ptr<const RuleNode> node) : node_(std::move(node)) {}

  /// "lookahead(adam(lr=0.0003), k=5, alpha=0.5)": the arguments that matter and those that differ from their defaults.
  /// parse_rule reads it back.
  std::string describe() const;
  /// True when only Optimizer::step(closure) will do: adaptive alpha, rules like SAM.
  bool needs_closure() const;
  const RuleNode& node() const { return *node_; }
  bool operator==(const Rule& other) const { return describe() == other.describe(); }

 private:
  std::shared_ptr<const RuleNode> node_;
};

/// Reads what describe() prints, with hyper-parameters as numbers or schedules. total_steps: what fractions in
/// schedules are fractions of (parse_schedule). Throws UsageError naming the column and, for a misspelt word, what was
/// meant.
Rule parse_rule(std::string_view text, std::int64_t total_steps = 0);

/// Every name that parse_rule knows, sorted: Tandem's and those that were registered.
std::vector<std::string> rule_names();

/// The rule with the lr of every leaf multiplied by the schedule; the outer rules of loops, and alpha, stay as they
/// are.
Rule with_schedule(const Rule& rule, const Schedule& schedule);

/// The values that a hyper-parameter accepts, and what to say to one outside.
struct Range {
  double low = 0, high = std::numeric_limits<double>::infinity();
  bool is_low_open = false, is_high_open = false;  ///< the end itself is refused
  bool is_whole = false;                           ///< a count: a number without a fraction (curves are rounded)
  const char* remedy = "";

  bool contains(double value) const;
  /// "at least 0", "above 0", "at most 0", "in [0, 1)".
  std::string text() const;
};

inline constexpr Range kNotNegative{};
inline constexpr Range kCount{.low = 1, .is_whole = true};
inline constexpr Range kMoment{.high = 1, .is_high_open = true};  ///< the factor of a moving average: [0, 1)

/// One hyper-parameter of a rule, as parsing, printing, checking and setting see it.
struct Field {
  using Value = std::variant<Schedule*, std::int64_t*, bool*, InnerState*>;
  const char* name;
  Value value;
  Range range;
  bool is_always_printed = false;

  std::string text() const;
  /// Throws UsageError `where: name is value[ at step n], must be range; remedy` when a value is out of the range.
  void check(std::string_view where, double at, std::int64_t step = -1) const;
  /// The same for a schedule at its start, its ends and its bends. An open lower end may be reached after the start: a
  /// curve that ends at 0. What is known only at work, custom functions and plateaus, step() checks.
  void check(std::string_view where, const Schedule& schedule) const;
};

/// Collects the fields of an options struct: `f("lr", lr, kNotNegative); f("nesterov", nesterov);`.
class Fields {
 public:
  enum class Print { if_changed, always };

  void operator()(const char* name, Schedule& value, const Range& range, Print print = Print::if_changed) {
    all_.push_back({name, &value, range, print == Print::always});
  }
  void operator()(const char* name, std::int64_t& value, const Range& range, Print print = Print::always) {
    all_.push_back({name, &value, range, print == Print::always});
  }
  void operator()(const char* name, bool& value) { all_.push_back({name, &value, {}, false}); }
  void operator()(const char* name, InnerState& value) { all_.push_back({name, &value, {}, false}); }

  const std::vector<Field>& all() const { return all_; }
  /// Their values as text.
  std::vector<std::string> texts() const;
  const Field* find(std::string_view name) const;

 private:
  std::vector<Field> all_;
};

inline constexpr Fields::Print kAlways = Fields::Print::always;

/// What a rule is made of. Rules share nodes and never change them; an Optimizer works on a clone of its own.
class RuleNode {
 public:
  virtual ~RuleNode() = default;
  virtual std::string name() const = 0;
  /// A deep copy.
  virtual std::shared_ptr<RuleNode> clone() const = 0;
  virtual void fields(Fields& fields) = 0;
  /// What fields() would collect from a default-made node, as text.
  virtual std::vector<std::string> default_texts() const = 0;

  struct Child {
    const char* role;  ///< "inner" or "outer": a part of the names of state and hyper-parameters
    RuleNode* node;
  };
  virtual std::vector<Child> children() { return {}; }
  /// The least rank that parameters of this rule may have: 2 where a leaf inside is for matrices alone (muon.h).
  virtual int least_rank() {
    int least = 0;
    for (const Child& child : children()) least = std::max(least, child.node->least_rank());
    return least;
  }
  /// groups(...): each child is for parameters of its own, and only the Optimizer can bind it.
  virtual bool is_groups() const { return false; }

  /// State and update for the parameters of `frame`; this node outlives the result, which reads its options every step.
  virtual std::unique_ptr<Running<float>> bind_float(const Frame& frame) = 0;
  virtual std::unique_ptr<Running<double>> bind_double(const Frame& frame) = 0;
  /// On numbers that remember how they came about, for explanations.
  virtual std::unique_ptr<Running<Traced>> bind_traced(const Frame& frame) = 0;

  /// Throws UsageError when a field of this node is out of its range. Children are checked when they are made.
  virtual void check();
  virtual std::string describe() const;
};

/// The value of a count at a step, whole.
std::int64_t whole(double value);

/// Makes a rule readable by parse_rule: `make` takes the children in order ("inner", "outer") and gives a node with
/// default options. Throws Error when another rule has the name; the same one may be registered again.
void register_rule(const std::string& name, std::vector<std::string> children,
                   std::shared_ptr<RuleNode> (*make)(const std::vector<Rule>& children));

}  // namespace tandem
