// Metrics: measured values under the names of the project: train_loss, test_loss, test_accuracy (0 to 1), psnr, ssim,
// elbo, perplexity, bleu. And what is said of several seeds: mean and standard deviation.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::examples {

/// In the order in which they are shown.
using Metrics = std::vector<std::pair<std::string, double>>;

/// The value of a metric; NaN when it was not measured.
double value_of(const Metrics& metrics, std::string_view name);

/// True for accuracies, psnr, ssim, elbo and bleu; false for losses and perplexity.
bool is_larger_better(std::string_view name);

/// Each metric of `now` where it is better than in `best`, or new there.
void keep_best(Metrics& best, const Metrics& now);

struct MeanAndDeviation {
  double mean = 0;
  double deviation = 0;  ///< sqrt(sum (x - mean)^2 / (n - 1)); 0 for a single value
};
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

}  // namespace tandem::examples
