// Metrics by name; see metrics.h.
#include "metrics.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace tandem::examples {

double value_of(const Metrics& metrics, std::string_view name) {
  for (const auto& [known, value] : metrics)
    if (known == name) return value;
  return std::numeric_limits<double>::quiet_NaN();
}

bool is_larger_better(std::string_view name) {
  for (const std::string_view better : {"accuracy", "psnr", "ssim", "elbo", "bleu"})
    if (name.find(better) != std::string_view::npos) return true;
  return false;
}

void keep_best(Metrics& best, const Metrics& now) {
  for (const auto& [name, value] : now) {
    const double before = value_of(best, name);
    if (std::isnan(before))
      best.emplace_back(name, value);
    else if (is_larger_better(name) ? value > before : value < before)
      for (auto& [known, kept] : best)
        if (known == name) kept = value;
  }
}

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  if (values.empty()) return {};
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0};
}

}  // namespace tandem::examples
