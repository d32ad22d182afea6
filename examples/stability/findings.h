// What follows from the cells: means with intervals over repetitions, slopes on log-log paper, and the curves of our
// reconstruction of the theory. Not here: tables and the page that show them (page.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan.h"

namespace tandem::stability {

/// A mean over repetitions with the 95 % interval of Student's t.
struct Interval {
  double mean = 0, low = 0, high = 0;
  std::size_t left_out = 0;  ///< repetitions whose value is not finite
};
Interval interval(const std::vector<double>& values);

/// A curve: a quantity of one method along an axis.
struct Curve {
  std::string method;
  std::vector<double> at;
  std::vector<Interval> values;
};

enum class Quantity { distance2, gap, test };
const char* name(Quantity quantity);
std::vector<Curve> curves(const std::vector<Cell>& cells, const std::string& problem, Axis axis, Quantity quantity);

/// The slope of log distance² over the log of the axis: least squares in each repetition, then the interval of the
/// slopes. `least` and `most`: of the axis. Nothing where fewer than two values are positive.
std::optional<Interval> slope(const std::vector<Cell>& cells, const std::string& problem, Axis axis,
                              const std::string& method, double least, double most);

/// A quantity of one method over that of another in the same repetitions, at one point of an axis: exp of the mean of
/// log(a / b), with its interval. Nothing where a value is not positive or not there.
std::optional<Interval> ratio(const std::vector<Cell>& cells, const std::string& problem, Axis axis, double at,
                              const std::string& a, const std::string& b, Quantity quantity);

/// The reconstruction, up to a factor: of convex problems
///   L (alpha g)² (1 / (n b) + t / n²) sum of the training risks of t steps,
/// of strongly convex ones along the steps
///   (1 - r^(t/k))²,  r = 1 - alpha (1 - (1 - g mu)^k): what a cycle leaves of a distance.
/// Scaled to meet the measurement at one point: the last of `steps`, else the first.
std::vector<double> theory(const std::vector<Cell>& cells, const Problem& problem, Axis axis, const Curve& measured);

}  // namespace tandem::stability
