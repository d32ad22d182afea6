// Sweeps: one text for many rules, with lists in braces. Which rule a text means: parse_rule (rule.h); names for the
// results: rule_labels.h.
//
//   la=lookahead(momentum(lr={0.02,0.1}, momentum=0.9), k={5,10}, alpha=0.5)      four rules, named la
//   lookahead({sgd(lr=0.1), adam}, k=5, alpha=0.5, state={maintain,reset})        whole rules and words
//   adam(lr={0.1, 0.1 * cosine(warmup=10, total=100)})                            schedules
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem {

struct SweepPoint {
  std::string name;  ///< before the "=", empty when there is none
  std::string spec;  ///< without braces
  /// The name of each list and the entry taken, as written. A list is named after its argument, one of rules "rule";
  /// where two lists have one name, by path: "k" and "inner/k".
  std::vector<std::pair<std::string, std::string>> choices;
};

/// Every combination; the last list varies fastest. A text without lists gives one point. Specs are not read here:
/// parse_rule does. Throws UsageError with the column for an empty list or entry, a brace without its partner, a list
/// inside a list, and more than 10,000 combinations.
std::vector<SweepPoint> expand_sweep(std::string_view spec);

}  // namespace tandem
