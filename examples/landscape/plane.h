// Plane: a point of the space of weights and one or two directions from it, on which a loss can be drawn; how points
// are projected onto it, and the planes that are worth drawing.
//
//   at(x, y) = origin + x first + y second
//
// Not here: what is measured there (measure.h), directions of curvature (hessian.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tandem/nn/module.h>

namespace tandem::landscape {

using Point = std::span<const float>;

struct Plane {
  std::vector<float> origin;
  std::vector<double> first, second;              ///< second is empty: a line
  std::string first_name = {}, second_name = {};  ///< labels of the axes
  bool is_square = true;                          ///< both directions have one length: a figure shows true angles

  bool is_line() const { return second.empty(); }
  /// Computed in double, rounded once.
  std::vector<float> at(double x, double y) const;
};

/// A point of the plane, the nearest to some weights, and how far they are from it.
struct Place {
  double x = 0, y = 0, distance = 0;
};

/// The least-squares solution for any two directions. Throws Error when they depend on each other or sizes differ.
Place project(const Plane& plane, Point weights);

/// Of the variance of points round their mean, the part along each axis and off the plane: 1 - along[0] - along[1].
/// Axes are taken one after the other (first, then what second adds). All 0 where the points do not differ.
struct Shares {
  double along[2] = {0, 0};
  double total() const { return along[0] + along[1]; }
};
Shares explained(const Plane& plane, const std::vector<Point>& points);

/// Through two points: x is the distance from a, b stands at |b - a|. Throws Error when they are the same.
Plane line_through(Point a, Point b);
/// Through three: the x axis from a to b, the y axis at a right angle on the side of c; units are distances (Garipov et
/// al. 2018). Throws Error when they are on one line.
Plane plane_through(Point a, Point b, Point c);
/// From the last point along the two directions in which the points differ most (Li et al. 2018, sec. 7): principal
/// components of the centred points, of length 1. Throws Error with fewer than three points or no second direction.
Plane principal_plane(const std::vector<Point>& points);
/// From the model's weights along two normal random directions, normalised filter by filter (Li et al. 2018, sec. 4):
/// each row of a weight's first dim has the length of the model's own row; biases and norms of rank 1 stay as they are.
Plane random_plane(const nn::Module& model, std::uint64_t seed);

/// `count` evenly spaced numbers from low to high; 0 is among them exactly where it should be.
std::vector<double> spaced(double low, double high, std::int64_t count);

}  // namespace tandem::landscape
