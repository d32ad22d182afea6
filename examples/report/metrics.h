// Metrics: measured values under the names of the project: train_loss, test_loss, test_accuracy (0 to 1), psnr, ssim,
// elbo, perplexity, bleu; and how a number that may not be finite is written and read. Not here: what several seeds say
// of them (statistics.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::report {

/// In the order in which they are shown.
using Metrics = std::vector<std::pair<std::string, double>>;

/// The value of a metric; NaN when it was not measured.
double value_of(const Metrics& metrics, std::string_view name);

/// True for accuracies, psnr, ssim, elbo and bleu; false for losses and perplexity.
bool is_larger_better(std::string_view name);

/// True when `value` is a better value of the metric than `other`; a number is better than none (NaN).
bool is_better(std::string_view name, double value, double other);

/// Each metric of `now` where it is better than in `best`, or new there. NaN is never kept.
void keep_best(Metrics& best, const Metrics& now);

/// "0.9125"; the shortest text that reads back as the same number; "inf", "-inf", "nan".
std::string number_text(double value);

/// The number that number_text wrote. Throws Error "where: "x" is not a number".
double parse_number(std::string_view text, std::string_view where);

/// Four decimals for values of ordinary size, five below 0.001, "1.234e-05" for others, "inf", "-inf"; "-" for NaN: not
/// measured.
std::string shown(double value);

/// 1234567 as "1,234,567".
std::string with_commas(long long number);

/// "12 s", "3:05", "1:02:03"; begun seconds count.
std::string shown_duration(double seconds);

}  // namespace tandem::report
