// Means of curves and thinning; see thin.h.
#include "thin.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace tandem::report {
namespace {

/// Places of the smallest and the largest finite y of [begin, end); both `begin` when there is none.
std::pair<std::size_t, std::size_t> extremes(const Curve& curve, std::size_t begin, std::size_t end) {
  std::size_t smallest = end, largest = end;
  for (std::size_t i = begin; i < end; ++i) {
    if (!std::isfinite(curve.y[i])) continue;
    if (smallest == end || curve.y[i] < curve.y[smallest]) smallest = i;
    if (largest == end || curve.y[i] > curve.y[largest]) largest = i;
  }
  return smallest == end ? std::pair(begin, begin) : std::pair(smallest, largest);
}

}  // namespace

Curve thinned(const Curve& curve, std::size_t most) {
  const std::size_t count = curve.x.size(), stretches = std::max<std::size_t>(most / 2, 1);
  if (count <= most) return curve;
  Curve kept;
  for (std::size_t s = 0; s < stretches; ++s) {
    const std::size_t begin = s * count / stretches, end = (s + 1) * count / stretches;
    const auto [smallest, largest] = extremes(curve, begin, end);
    const std::size_t first = std::min(smallest, largest), second = std::max(smallest, largest);
    for (const std::size_t i : {first, second}) {
      if (i == second && second == first && !kept.x.empty() && kept.x.back() == curve.x[i]) continue;
      kept.x.push_back(curve.x[i]);
      kept.y.push_back(curve.y[i]);
      if (curve.low.empty()) continue;
      const auto at = [&](const std::vector<double>& values, std::size_t place) {
        return values.begin() + static_cast<std::ptrdiff_t>(place);
      };
      kept.low.push_back(*std::min_element(at(curve.low, begin), at(curve.low, end)));
      kept.high.push_back(*std::max_element(at(curve.high, begin), at(curve.high, end)));
    }
  }
  return kept;
}

Curve mean_curve(const std::vector<Points>& runs) {
  struct Sum {
    std::size_t count = 0;
    double sum = 0, low = 0, high = 0;
  };
  std::map<double, Sum> sums;
  for (const Points& run : runs)
    for (std::size_t i = 0; i < run.x.size(); ++i) {
      const double y = run.y[i];
      if (std::isnan(y)) continue;
      Sum& sum = sums[run.x[i]];
      sum.low = sum.count == 0 ? y : std::min(sum.low, y);
      sum.high = sum.count == 0 ? y : std::max(sum.high, y);
      sum.sum += y;
      ++sum.count;
    }
  Curve curve;
  for (const auto& [x, sum] : sums) {
    if (sum.count != runs.size()) continue;
    curve.x.push_back(x);
    curve.y.push_back(sum.sum / static_cast<double>(sum.count));
    if (runs.size() < 2) continue;
    curve.low.push_back(sum.low);
    curve.high.push_back(sum.high);
  }
  return curve;
}

}  // namespace tandem::report
