// The checks of check_rule.h, on the problem of study/rule_problem.h.
#include <tandem/optim/check_rule.h>

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <tandem/core/allocator.h>
#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/optim/lookahead.h>
#include <tandem/optim/optimizer.h>
#include <tandem/optim/study/rule_problem.h>

namespace tandem {
namespace {

using Outcome = Verdict::Outcome;

Tensor scalar(double value) { return Tensor(Array::full({1}, value, DType::f64)); }

/// "lr" of "groups/0/inner/lr".
std::string last_word(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Checks {
 public:
  Checks(const Rule& rule, const CheckRuleOptions& options) : rule_(rule), options_(options) {}

  RuleReport run() {
    report_.rule = rule_.describe();
    guarded("trajectory", [&] { trajectory(); });
    guarded("zero gradient", [&] { zero_gradient(); });
    guarded("gradients", [&] { gradients(); });
    guarded("determinism", [&] { determinism(); });
    guarded("state", [&] { state(); });
    guarded("groups", [&] { groups(); });
    guarded("coupled groups", [&] { coupled_groups(); });
    guarded("wrappers", [&] { wrappers(); });
    guarded("throwing", [&] { throwing(); });
    guarded("explanation", [&] { explanation(); });
    guarded("allocation", [&] { allocation(); });
    guarded("text", [&] { text(); });
    return std::move(report_);
  }

 private:
  /// A check that throws has failed.
  template <class F>
  void guarded(const char* check, F&& f) {
    check_ = check;
    try {
      f();
    } catch (const std::exception& error) {
      add(Outcome::failed, error.what());
    }
  }
  void add(Outcome outcome, std::string detail) { report_.verdicts.push_back({check_, outcome, std::move(detail)}); }
  void expect(bool holds, std::string detail) { add(holds ? Outcome::passed : Outcome::failed, std::move(detail)); }

  Shape one_weight() const { return is_for_matrices(rule_) ? Shape{1, 1} : Shape{1}; }

  void trajectory() {
    if (!options_.trajectory) return add(Outcome::skipped, "no closed form given");
    Tensor w(Array::full(one_weight(), options_.start, DType::f64), true);
    Optimizer optimizer({{"w", w}}, rule_);
    for (std::int64_t t = 1; t <= options_.steps; ++t) {
      optimizer.step([&] {
        w.accumulate_grad(Array::full(one_weight(), options_.gradient, DType::f64));
        return scalar(options_.gradient * w.item());
      });
      const double expected = options_.trajectory(t);
      if (std::abs(w.item() - expected) <= 1e-12 * std::max(1.0, std::abs(expected))) continue;
      return expect(false, fmt::format("after step {} the weight is {}, expected {}", t, w.item(), expected));
    }
    expect(true, fmt::format("{} steps follow the closed form", options_.steps));
  }

  void zero_gradient() {
    RuleProblem problem(rule_);
    Optimizer optimizer(problem.parameters, rule_);
    for (const std::string& name : optimizer.hyper_parameters()) {
      const std::string last = last_word(name);
      if (last == "weight_decay" || last == "lambd" || last == "eta") optimizer.set(name, 0);  // asgd's, noise's
      if (last == "max") optimizer.set(name, 1e30);                                            // projections
    }
    for (int t = 0; t < options_.steps; ++t) {
      optimizer.step([&] {
        for (NamedTensor& p : problem.parameters) p.tensor.accumulate_grad(Array::zeros(p.tensor.shape()));
        return scalar(0);
      });
    }
    expect(problem.equals(RuleProblem(rule_)),
           fmt::format("{} steps with gradients of zero move no weight", options_.steps));
  }

  void gradients() {
    RuleProblem problem(rule_);
    Optimizer optimizer(problem.parameters, rule_);
    for (std::int64_t t = 0; t < options_.steps; ++t) {
      problem.train(optimizer, t, t + 1);
      for (std::size_t i = 0; i < problem.parameters.size(); ++i) {
        if (identical(problem.parameters[i].tensor.grad(), problem.of_step[i])) continue;
        return expect(false, fmt::format("step {} changed the gradient of {}", t + 1, problem.parameters[i].name));
      }
    }
    expect(true, fmt::format("{} steps leave them as they arrived", options_.steps));
  }

  void determinism() {
    const RuleProblem once = RuleProblem::trained(rule_, options_.steps);
    const bool is_same = once.equals(RuleProblem::trained(rule_, options_.steps));
    const int team = threads();
    set_threads(team == 1 ? 2 : 1);
    const bool is_same_elsewhere = once.equals(RuleProblem::trained(rule_, options_.steps));
    set_threads(team);
    expect(is_same && is_same_elsewhere,
           fmt::format("{} steps again {}, with {} instead of {} threads {}", options_.steps,
                       is_same ? "equal" : "differ", team == 1 ? 2 : 1, team, is_same_elsewhere ? "equal" : "differ"));
  }

  void state() {
    const RuleProblem end = RuleProblem::trained(rule_, 2 * options_.steps);
    RuleProblem whole(rule_);
    Optimizer once(whole.parameters, rule_);
    for (std::int64_t at = 0; at <= options_.steps; ++at) {
      NamedArrays tree;
      for (const NamedArray& entry : once.state_tree()) tree.push_back({entry.name, entry.array.clone()});
      RuleProblem resumed(rule_, 50);
      Optimizer optimizer(resumed.parameters, rule_);
      resumed.train(optimizer, 0, 2);  // state of its own, to be replaced
      optimizer.load_state_tree(tree);
      optimizer.state_tree();  // whoever looks before the weights are there changes nothing
      { const EvaluationWeights look = optimizer.evaluation_weights(); }
      resumed.copy_weights(whole);
      resumed.train(optimizer, at, 2 * options_.steps);
      if (!resumed.equals(end)) {
        return expect(false, fmt::format("saved after step {} and loaded, training goes on differently", at));
      }
      whole.train(once, at, at + 1);
    }
    expect(true, fmt::format("saved and loaded after each of {} steps, training goes on bit for bit", options_.steps));
  }

  /// A group is as alone, or, where a norm is of all groups, all are as one.
  void groups() {
    RuleProblem both(rule_), one(rule_), alone(rule_);
    Optimizer pair({Group{{both.parameters[0], both.parameters[1]}, rule_}, Group{{both.parameters[2]}, rule_}});
    Optimizer whole(one.parameters, rule_);
    Optimizer single({alone.parameters[2]}, rule_);
    both.train(pair, 0, options_.steps);
    one.train(whole, 0, options_.steps);
    alone.train(single, 0, options_.steps);
    const bool is_alone = identical(both.parameters[2].tensor.value(), alone.parameters[2].tensor.value());
    const bool is_one = both.is_near(one);

    RuleProblem partly(rule_);
    const Array before = partly.parameters[1].tensor.value().clone();
    Optimizer optimizer(partly.parameters, rule_);
    partly.train(optimizer, 0, 1, 1);
    const bool is_kept = identical(partly.parameters[1].tensor.value(), before);
    if (!is_alone && !is_one) return expect(false, "groups are neither as each alone nor as one");
    expect(is_kept, fmt::format("a parameter without gradient {}, groups are {}", is_kept ? "stays" : "moves",
                                is_alone ? "independent" : "as one"));
  }

  /// The gradient of each of two groups depends on the weights of the other: their order must not matter.
  void coupled_groups() {
    const auto end = [&](bool is_swapped) {
      Tensor a(Array::full(one_weight(), 1, DType::f64), true), b(Array::full(one_weight(), 0.5, DType::f64), true);
      const Group first{{{"a", a}}, rule_}, second{{{"b", b}}, rule_};
      Optimizer optimizer(is_swapped ? std::vector{second, first} : std::vector{first, second});
      for (std::int64_t t = 0; t < options_.steps; ++t) {
        optimizer.step([&] {
          a.accumulate_grad(Array::full(one_weight(), b.item() + a.item(), DType::f64));
          b.accumulate_grad(Array::full(one_weight(), a.item() - b.item(), DType::f64));
          return scalar(0.5 * (a.item() * a.item() - b.item() * b.item()) + a.item() * b.item());
        });
      }
      return std::pair{a.item(), b.item()};
    };
    expect(end(false) == end(true),
           fmt::format("{} steps of two groups with one loss, in either order", options_.steps));
  }

  /// A closure that throws at any of its calls changes nothing.
  void throwing() {
    RuleProblem problem(rule_);
    Optimizer optimizer(problem.parameters, rule_);
    int thrown = 0;
    for (std::int64_t t = 0; t < options_.steps; ++t) {
      for (int at = 1;; ++at) {
        const Snapshot before = optimizer.snapshot();
        int calls = 0;
        try {
          optimizer.step([&] {
            if (++calls == at) throw std::runtime_error("no");
            return problem.put_gradients(t);
          });
          break;
        } catch (const std::runtime_error&) {
          ++thrown;
        }
        const Snapshot after = optimizer.snapshot();
        if (!equal_arrays(before.weights, after.weights) || !equal_arrays(before.state, after.state)) {
          return expect(false, fmt::format("step {}, call {} of the closure throws: something has changed", t + 1, at));
        }
      }
    }
    expect(true, fmt::format("{} calls in {} steps that throw change nothing", thrown, options_.steps));
  }

  /// Every weight's explanation ends at the optimizer's number.
  void explanation() {
    RuleProblem problem(rule_);
    Optimizer optimizer(problem.parameters, rule_);
    std::vector<std::int64_t> bias(one_weight().span().size());
    bias[0] = 3;
    const std::vector<std::pair<const char*, std::vector<std::int64_t>>> chosen = {
        {"conv.weight", {4, 2, 1, 0}}, {"conv.bias", bias}, {"linear.weight", {69, 130}}, {"linear.weight", {0, 7}}};
    for (const auto& [name, index] : chosen) optimizer.trace(name, index);
    for (std::int64_t t = 0; t < options_.steps; ++t) {
      problem.train(optimizer, t, t + 1, t == 3 ? 1 : -1);
      for (const auto& [name, index] : chosen) {
        const Explanation e = optimizer.explain(name, index);
        if (!e.is_exact) return expect(false, "differs from the optimizer: " + e.to_string());
      }
    }
    expect(true, fmt::format("{} updates explained, bit for bit", options_.steps * 4));
  }

  void wrappers() {
    const std::int64_t cycle = cycle_of(rule_), k = cycle == 1 ? 3 : cycle;
    if (cycle == 0) return add(Outcome::skipped, "cycles of more than 1000 steps");
    const std::int64_t steps = 2 * k + 1;
    const RuleProblem plain = RuleProblem::trained(rule_, steps);
    const bool copies = plain.equals(RuleProblem::trained(lookahead(rule_, {.k = k, .alpha = 1}), steps));
    const bool returns = RuleProblem(rule_).equals(RuleProblem::trained(lookahead(rule_, {.k = k, .alpha = 0}), 2 * k));
    const bool waits = plain.equals(RuleProblem::trained(lookahead(rule_, {.k = 10 * steps}), steps));
    expect(copies && returns && waits,
           fmt::format("lookahead with k={}: alpha=1 {} the rule, alpha=0 {}; with k={} it {} the rule", k,
                       copies ? "is" : "is not", returns ? "returns" : "does not return", 10 * steps,
                       waits ? "is" : "is not"));
  }

  void allocation() {
    RuleProblem problem(rule_);
    Optimizer optimizer(problem.parameters, rule_);
    if (optimizer.needs_closure()) return add(Outcome::skipped, "the rule evaluates a closure");
    problem.train(optimizer, 0, 2);
    problem.put_gradients(2);
    const auto counted = [&] { return options_.allocations ? options_.allocations() : 0; };
    const std::int64_t before = counted();
    const auto system = memory_stats().system_allocations;
    for (std::int64_t t = 0; t < options_.steps; ++t) optimizer.step();
    const std::int64_t after = counted();
    const auto system_after = memory_stats().system_allocations;
    expect(after == before && system_after == system,
           fmt::format("{} steps: {} allocations, {} from the system", options_.steps, after - before,
                       system_after - system));
  }

  void text() {
    const std::string described = rule_.describe();
    const std::string name = described.substr(0, described.find('('));
    for (const std::string& known : rule_names()) {
      if (name == known) return expect(parse_rule(described) == rule_, described);
    }
    add(Outcome::skipped, fmt::format("\"{}\" is not registered", name));
  }

  const Rule& rule_;
  const CheckRuleOptions& options_;
  RuleReport report_;
  const char* check_ = "";
};

}  // namespace

bool RuleReport::passed() const {
  for (const Verdict& v : verdicts) {
    if (v.outcome == Outcome::failed) return false;
  }
  return true;
}

std::string RuleReport::to_string() const {
  static const char* const words[] = {"passed", "FAILED", "skipped"};
  std::string lines = rule + "\n";
  for (const Verdict& v : verdicts) {
    lines += fmt::format("  {:<8} {}: {}\n", words[static_cast<int>(v.outcome)], v.check, v.detail);
  }
  return lines;
}

RuleReport check_rule(const Rule& rule, const CheckRuleOptions& options) { return Checks(rule, options).run(); }

}  // namespace tandem
