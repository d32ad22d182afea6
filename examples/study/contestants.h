// Who takes part: every rule that is registered, Tandem's and those of a program of one's own, and what --rule adds.
#pragma once

#include <string>
#include <vector>

#include <tandem/optim/rule.h>

namespace tandem::study {

struct Contestant {
  std::string name;      ///< "adam"
  std::string spec;      ///< with the lr that is its default: "adam(lr=0.001)"
  std::string schedule;  ///< of the lr, over the steps of a training

  bool operator==(const Contestant&) const = default;
};

inline constexpr const char* kSchedule = "cosine(warmup=0.05)";

/// Every name of rule_names(), and Lookahead's controls. A leaf takes part with Tandem's defaults, `NAME()`; a rule
/// round rules stands round momentum(lr=0.1, momentum=0.9). `left_out`: registered rules that cannot be made from
/// nothing, with why; they take part by --rule.
std::vector<Contestant> registered_contestants(std::vector<std::string>& left_out);

/// Of --rule NAME=SPEC. Throws UsageError where the form or the SPEC is wrong.
Contestant own_contestant(const std::string& text);

/// The rule with every lr times `factor` times its schedule over so many steps. Throws UsageError as parse_rule does.
Rule rule_of(const Contestant& contestant, double factor, std::int64_t steps);

}  // namespace tandem::study
