// Sums of products in double.
#include "plane.h"

#include <fmt/format.h>

#include <cmath>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/optim/engine/eigen.h>

#include "weights.h"

namespace tandem::landscape {
namespace {

using Direction = std::vector<double>;

double dot(const Direction& a, const Direction& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// b - a
Direction difference(Point b, Point a) {
  if (a.size() != b.size())
    fail("plane", "the points are of different models", fmt::format("{} and {} weights", a.size(), b.size()));
  Direction d(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) d[i] = static_cast<double>(b[i]) - static_cast<double>(a[i]);
  return d;
}

void add_scaled(Direction& y, const Direction& x, double factor) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}

/// d / |d|; the length.
double normalise(Direction& d) {
  const double length = std::sqrt(dot(d, d));
  if (length > 0)
    for (double& value : d) value /= length;
  return length;
}

/// What of d is at a right angle to a unit vector, twice, so that rounding leaves nothing.
void take_out(Direction& d, const Direction& unit) {
  for (int again = 0; again < 2; ++again) add_scaled(d, unit, -dot(d, unit));
}

std::vector<float> copied(Point p) { return {p.begin(), p.end()}; }

/// Two random directions: a row of a weight is as long as that of the model.
Direction filter_normalised(const nn::Module& model, Generator& generator) {
  Direction d;
  for (const NamedTensor& parameter : model.parameters()) {
    const Array w = parameter.tensor.value().to(DType::f64).contiguous();
    if (w.rank() < 2) {
      d.insert(d.end(), static_cast<std::size_t>(w.size()), 0.0);
      continue;
    }
    Array r = Array::empty(w.shape(), DType::f64);
    generator.fill_normal(r);
    const std::int64_t rows = w.shape(0), size = w.size() / rows;
    for (std::int64_t row = 0; row < rows; ++row) {
      const double* own = w.data<double>() + row * size;
      const double* drawn = r.data<double>() + row * size;
      double a = 0, b = 0;
      for (std::int64_t i = 0; i < size; ++i) a += own[i] * own[i], b += drawn[i] * drawn[i];
      const double scale = b > 0 ? std::sqrt(a / b) : 0;
      for (std::int64_t i = 0; i < size; ++i) d.push_back(drawn[i] * scale);
    }
  }
  return d;
}

}  // namespace

std::vector<float> Plane::at(double x, double y) const {
  std::vector<float> w(origin.size());
  for (std::size_t i = 0; i < w.size(); ++i)
    w[i] = static_cast<float>(origin[i] + x * first[i] + (is_line() ? 0 : y * second[i]));
  return w;
}

Place project(const Plane& plane, Point weights) {
  Direction d = difference(weights, plane.origin);
  const double a = dot(plane.first, plane.first), r = dot(plane.first, d);
  Place place;
  if (plane.is_line()) {
    place.x = r / a;
  } else {
    const double b = dot(plane.first, plane.second), c = dot(plane.second, plane.second), s = dot(plane.second, d);
    const double determinant = a * c - b * b;
    if (!(determinant > 1e-12 * a * c)) fail("plane", "the directions depend on each other");
    place.x = (r * c - s * b) / determinant;
    place.y = (s * a - r * b) / determinant;
    add_scaled(d, plane.second, -place.y);
  }
  add_scaled(d, plane.first, -place.x);
  place.distance = std::sqrt(dot(d, d));
  return place;
}

Shares explained(const Plane& plane, const std::vector<Point>& points) {
  Shares shares;
  if (points.size() < 2) return shares;
  std::vector<Direction> units = {plane.first};
  normalise(units[0]);
  if (!plane.is_line()) {
    units.push_back(plane.second);
    take_out(units[1], units[0]);
    normalise(units[1]);
  }
  Direction mean(plane.origin.size(), 0);
  for (const Point& p : points)
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += p[i] / static_cast<double>(points.size());
  double all = 0, along[2] = {0, 0};
  for (const Point& p : points) {
    double in[2] = {0, 0};
    for (std::size_t i = 0; i < mean.size(); ++i) {
      const double d = p[i] - mean[i];
      all += d * d;
      for (std::size_t axis = 0; axis < units.size(); ++axis) in[axis] += d * units[axis][i];
    }
    for (std::size_t axis = 0; axis < units.size(); ++axis) along[axis] += in[axis] * in[axis];
  }
  for (std::size_t axis = 0; axis < 2 && all > 0; ++axis) shares.along[axis] = along[axis] / all;
  return shares;
}

Plane line_through(Point a, Point b) {
  Plane plane{copied(a), difference(b, a), {}};
  if (normalise(plane.first) == 0) fail("plane", "the two points are the same");
  plane.first_name = "distance from the first to the second";
  return plane;
}

Plane plane_through(Point a, Point b, Point c) {
  Plane plane = line_through(a, b);
  plane.second = difference(c, a);
  const double length = std::sqrt(dot(plane.second, plane.second));
  take_out(plane.second, plane.first);
  if (!(normalise(plane.second) > 1e-6 * length)) fail("plane", "the three points are on one line");
  plane.second_name = "distance at a right angle";
  return plane;
}

Plane principal_plane(const std::vector<Point>& points) {
  const std::size_t n = points.size();
  if (n < 3) fail("plane", fmt::format("{} points have no plane of their own", n), "at least 3 are needed");
  const std::size_t size = points[0].size();
  Direction mean(size, 0);
  for (const Point& p : points) {
    if (p.size() != size) fail("plane", "the points are of different models");
    for (std::size_t i = 0; i < size; ++i) mean[i] += p[i] / static_cast<double>(n);
  }
  // The Gram matrix of the centred points has the eigenvalues of their covariance; its eigenvectors say how directions
  // are made of points.
  std::vector<double> gram(n * n), values(n), work(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < size; ++k) sum += (points[i][k] - mean[k]) * (points[j][k] - mean[k]);
      gram[i * n + j] = gram[j * n + i] = sum;
    }
  eigen(gram.data(), values.data(), work.data(), static_cast<std::int64_t>(n));
  if (!(values[1] > 1e-12 * values[0])) fail("plane", "the points are on one line");
  Plane plane{copied(points.back()), Direction(size, 0), Direction(size, 0)};
  Direction* directions[] = {&plane.first, &plane.second};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    Direction& d = *directions[axis];
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < size; ++k) d[k] += gram[axis * n + i] * (points[i][k] - mean[k]);
    if (axis == 1) take_out(d, plane.first);
    normalise(d);
    // Signs are free: the first point stands on the positive side.
    if (dot(d, difference(points.front(), points.back())) < 0)
      for (double& value : d) value = -value;
  }
  plane.first_name = "first principal direction";
  plane.second_name = "second principal direction";
  return plane;
}

Plane random_plane(const nn::Module& model, std::uint64_t seed) {
  constexpr std::uint64_t kStream = 7;
  Generator first(Generator(seed, kStream).split(0)), second(Generator(seed, kStream).split(1));
  return {weights_of(model).values,
          filter_normalised(model, first),
          filter_normalised(model, second),
          "first random direction, filter-normalised",
          "second",
          true};
}

std::vector<double> spaced(double low, double high, std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const double part = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0;
    double value = low + (high - low) * part;
    if (std::fabs(value) < 1e-12 * (std::fabs(low) + std::fabs(high))) value = 0;
    values.push_back(value);
  }
  return values;
}

}  // namespace tandem::landscape
