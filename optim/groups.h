// groups: one rule for some parameters, others for the rest, as one rule with one text:
//
//   groups({{"*.bias", sgd({.lr = 0.1})}, {"*", adam({.lr = 1e-3})}})
//   groups(*.bias: sgd(lr=0.1); *: adam(lr=0.001))
//
// A pattern is matched with parameters' names (split_by_name.h), or a word: `vectors` for parameters of rank at
// most 1 (biases, norms), `matrices` for the others. A parameter belongs to the first pattern that fits. Groups step
// together; clip_norm in several of them clips by one norm, of all that have it.
#pragma once

#include <string>
#include <vector>

#include <tandem/optim/optimizer.h>

namespace tandem {

struct PatternRule {
  std::string pattern;
  Rule rule;
};

/// The outermost rule: nothing goes round it. Throws UsageError when there is no pattern or one stands inside.
Rule groups(const std::vector<PatternRule>& parts);

/// The groups that a rule makes of parameters: one, unless it is groups(...). Throws UsageError when a parameter fits
/// no pattern, or a pattern no parameter.
std::vector<Group> groups_of(const NamedTensors& parameters, const Rule& rule);

}  // namespace tandem
