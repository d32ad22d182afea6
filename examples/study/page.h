// What a study leaves behind beside its trials: tables for the terminal, results.csv, report.html.
#pragma once

#include <string>
#include <vector>

#include <tandem/report/table.h>

#include "findings.h"

namespace tandem::study {

/// Every rule: score tuned and by default with intervals, sensitivity, budget; the best first.
report::Table leaderboard(const Findings& findings);
/// Mean test cost of every rule on every task; `is_tuned`: at its chosen rate, with the factor.
report::Table costs_table(const Findings& findings, bool is_tuned);
/// Lookahead against its inner rule and against the inner rule at alpha times its rate, where they take part.
report::Table lookahead_table(const Findings& findings);

/// The page; `command` repeats the study, `about` says on what it was made.
std::string page_of(const Findings& findings, const std::string& command,
                    const std::vector<std::pair<std::string, std::string>>& about);

/// All trials: task, rule, factor, seed, validation, test, steps, evaluations, seconds.
std::string csv_of(const Outcomes& outcomes);

}  // namespace tandem::study
