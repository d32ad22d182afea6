// Specs of rules as tables need them: their arguments by name, and the shortest labels that tell several apart. Read
// as text, with the arguments that are written and no more; Rule::describe() writes those that matter.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

/// "rule" -> "lookahead(momentum)" and the path of each argument -> its text: "k" -> "5", "lr" -> "0.1"; a flag is
/// "true". "inner/" is left out of a path where that stays unique; "outer/" is not. A text that is no call is its rule.
std::map<std::string, std::string> rule_arguments(std::string_view spec);

/// A label for each spec. Of specs with the same rules, the arguments that differ: "k=5 alpha=0.2"; where rules differ,
/// these go before: "lookahead(momentum)", "momentum lr=0.1", "momentum lr=0.08". Equal specs get a number: "sgd (2)".
std::vector<std::string> distinguishing_labels(const std::vector<std::string>& specs);

}  // namespace tandem
