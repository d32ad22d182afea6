// Curves for the page: the mean of runs at equal steps with the band that they fill, thinned where a record has more
// points than a figure can show.
#pragma once

#include <cstddef>
#include <vector>

namespace tandem::report {

/// Points with ascending x; low and high are empty where there is no band. NaN is a gap.
struct Curve {
  std::vector<double> x, y, low, high;
};

constexpr std::size_t kMostPoints = 2000;

/// At most `most` points: the x are divided into most / 2 stretches of equally many points, of each of which the
/// smallest and the largest y stay, in their order, with the smallest low and the largest high of the stretch. A value
/// that is not finite stays when its stretch has no other. A shorter curve is left as it is.
Curve thinned(const Curve& curve, std::size_t most = kMostPoints);

/// A run's column by step.
struct Points {
  std::vector<double> x, y;
};

/// Mean, smallest and largest at the steps that all have; of one run the run itself, without a band. Values that are
/// NaN (not measured) are left out; a mean of values of which one is infinite is infinite.
Curve mean_curve(const std::vector<Points>& runs);

}  // namespace tandem::report
