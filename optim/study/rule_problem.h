// The problem that check_rule trains on: a noisy quadratic, so that gradients depend on the weights.
// Private to optim/ (check_rule.cpp).
#pragma once

#include <vector>

#include <tandem/optim/optimizer.h>

namespace tandem {

bool is_for_matrices(const Rule& rule);

/// Parameters on the loss 1/2 |w - noise(step)|^2.
class RuleProblem {
 public:
  /// The bias is a matrix [5, 1] where the rule is for matrices alone.
  explicit RuleProblem(const Rule& rule, std::uint64_t seed = 1);
  /// The weights after `steps` steps.
  static RuleProblem trained(const Rule& rule, std::int64_t steps);

  /// The gradients of a step at the weights as they are, for all parameters but `without`; the loss.
  Tensor put_gradients(std::int64_t step, int without = -1);
  /// Steps from..to-1, each through a closure, so that rules which need one are checked too.
  void train(Optimizer& optimizer, std::int64_t from, std::int64_t to, int without = -1);
  void copy_weights(const RuleProblem& other);

  bool equals(const RuleProblem& other) const;
  /// To rounding: sums over elements in another order.
  bool is_near(const RuleProblem& other) const;

  NamedTensors parameters;
  std::vector<Array> gradients;  ///< as they were put last
  std::vector<Array> of_step;    ///< and first in the last step
};

/// A number of steps after which all loops of the rule are at the start of a cycle, or 0.
std::int64_t cycle_of(const Rule& rule);

/// The same names with the same bits.
bool equal_arrays(const NamedArrays& a, const NamedArrays& b);

}  // namespace tandem
