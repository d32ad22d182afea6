// check_rule: what every rule must keep, checked on a small problem; for Tandem's rules and for your own.
//
//   const RuleReport report = check_rule(mine({.lr = 0.1}));
//   if (!report.passed()) std::cout << report.to_string();
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tandem/optim/rule.h>

namespace tandem {

/// The outcome of one check. `detail` says what was compared, or why the check does not apply.
struct Verdict {
  enum class Outcome { passed, failed, skipped };
  std::string check;
  Outcome outcome = Outcome::passed;
  std::string detail;
};

struct RuleReport {
  std::string rule;  ///< as describe() prints it
  std::vector<Verdict> verdicts;

  /// No check failed.
  bool passed() const;
  /// The rule, then a line a check: "  passed   determinism: 12 steps twice, bit for bit".
  std::string to_string() const;
};

struct CheckRuleOptions {
  /// Closed form: the weight after `steps` steps (1, 2, ...) from `start` with the gradient `gradient` in each, in f64.
  /// Compared to a relative 1e-12. Empty: skipped.
  std::function<double(std::int64_t steps)> trajectory = {};
  double start = 1, gradient = 1;
  /// Allocations of the program so far, e.g. counted by an operator new of a test. Empty: only memory asked from the
  /// system is counted.
  std::function<std::int64_t()> allocations = {};
  std::int64_t steps = 12;  ///< of the longer checks
};

// clang-format off
/// Runs these checks on a few parameters, in f32; on matrices alone where the rule refuses vectors (muon.h):
///   trajectory      the closed form, where given
///   zero gradient   without weight decay, noise and projection, gradients of zero from a fresh state leave every weight as it is
///   gradients       a step leaves the gradients as they arrived
///   determinism     the same bits again, and for one thread
///   state           save in mid-cycle, load into another Optimizer, look at it, go on: the same bits, at every step
///   groups          a group does what it would do alone, or, where a norm is of all, what it would do in one group;
///                   a parameter without gradient keeps its value outside of a sync
///   coupled groups  two groups with one loss through a closure: their order does not matter
///   wrappers        lookahead with alpha = 1 is the rule bit for bit, with alpha = 0 it returns, k = large changes nothing
///   throwing        a closure that throws at any of its calls changes neither weights nor state
///   explanation     explain() ends at the optimizer's own number, bit for bit, for a few weights in every step
///   allocation      a step allocates nothing
///   text            parse_rule reads what describe() prints (skipped for a rule that is not registered)
// clang-format on
RuleReport check_rule(const Rule& rule, const CheckRuleOptions& options = {});

}  // namespace tandem
