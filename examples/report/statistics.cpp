// Statistics over seeds; see statistics.h.
#include "statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>

namespace tandem::report {
namespace {

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

}  // namespace

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
  MeanAndDeviation m;
  double sum = 0, squares = 0;
  for (const double value : values)
    if (std::isfinite(value)) sum += value, ++m.count;
  m.left_out = values.size() - m.count;
  if (m.count == 0) return {0, m.left_out, kNotKnown, kNotKnown};
  m.mean = sum / static_cast<double>(m.count);
  for (const double value : values)
    if (std::isfinite(value)) squares += (value - m.mean) * (value - m.mean);
  m.deviation = m.count > 1 ? std::sqrt(squares / static_cast<double>(m.count - 1)) : 0;
  return m;
}

double t_quantile(std::size_t degrees) {
  constexpr double kQuantiles[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                   2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                   2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
  return kQuantiles[std::clamp<std::size_t>(degrees, 1, std::size(kQuantiles)) - 1];
}

PairedDifference paired_difference(const std::vector<double>& differences) {
  const MeanAndDeviation over_seeds = mean_and_deviation(differences);
  PairedDifference d{over_seeds.count, over_seeds.mean, kNotKnown, kNotKnown, kNotKnown, over_seeds.left_out};
  if (d.seeds < 2) return d;
  d.standard_error = over_seeds.deviation / std::sqrt(static_cast<double>(d.seeds));
  constexpr double kRounding = 1e-12;
  if (std::abs(d.mean) < kRounding * d.standard_error) d.mean = 0;  // differences that cancel but for rounding
  const double reach = t_quantile(d.seeds - 1) * d.standard_error;
  d.low = d.mean - reach;
  d.high = d.mean + reach;
  return d;
}

PairedDifference paired_difference(const BySeed& a, const BySeed& b) {
  std::vector<double> differences;
  for (const auto& [seed, value] : a)
    if (const auto other = b.find(seed); other != b.end()) differences.push_back(value - other->second);
  return paired_difference(differences);
}

std::string finding(const PairedDifference& d, bool is_larger_better) {
  if (d.seeds == 0) return d.left_out == 0 ? "nothing: no seed in common" : "nothing: diverged";
  std::string found;
  if (d.seeds == 1)
    found = "nothing: one seed";
  else if (d.is_degenerate())
    found = "nothing: all equal";
  else if (!d.is_beyond_chance())
    found = "nothing: holds 0";
  else
    found = (d.mean > 0) == is_larger_better ? "better" : "worse";
  if (d.left_out > 0) found += fmt::format(", {} of {} seeds left out: diverged", d.left_out, d.left_out + d.seeds);
  return found;
}

std::string findings_note(const std::vector<PairedDifference>& differences) {
  const auto intervals =
      std::count_if(differences.begin(), differences.end(), [](const PairedDifference& d) { return d.seeds > 1; });
  if (intervals == 0) return "With one seed it is not known how much seeds vary: nothing follows.";
  const std::string note = "Better and worse are said of this setting alone, nothing where the interval holds 0.";
  return intervals == 1
             ? note
             : note + " Each interval stands alone: where nothing differs, one in twenty leaves out 0 by chance.";
}

}  // namespace tandem::report
