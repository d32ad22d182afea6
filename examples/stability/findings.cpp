// Statistics of repetitions.
#include "findings.h"

#include <algorithm>
#include <cmath>

#include <tandem/report/statistics.h>

namespace tandem::stability {
namespace {

double value_of(const Outcome& o, Quantity quantity) {
  return quantity == Quantity::distance2 ? o.distance2 : quantity == Quantity::gap ? o.gap : o.test;
}

/// The points of a method along an axis: the value of the axis, and the outcomes of all repetitions there.
struct AxisPoint {
  double at = 0;
  std::vector<Outcome> outcomes;
  const Training* training = nullptr;
};

std::vector<AxisPoint> points_of(const std::vector<Cell>& cells, const std::string& problem, Axis axis,
                                 const std::string& method) {
  std::vector<AxisPoint> points;
  for (const Cell& cell : cells) {
    if (cell.problem != problem || cell.axis != axis || cell.training.method.name != method || cell.outcomes.empty())
      continue;
    for (std::size_t look = 0; look < cell.training.looks.size(); ++look) {
      AxisPoint point{axis == Axis::steps ? cell.training.looks[look] : cell.at, {}, &cell.training};
      for (const auto& repetition : cell.outcomes) point.outcomes.push_back(repetition[look]);
      points.push_back(std::move(point));
    }
  }
  std::stable_sort(points.begin(), points.end(), [](const AxisPoint& a, const AxisPoint& b) { return a.at < b.at; });
  return points;
}

/// The slope of y over x by least squares.
double slope_of(const std::vector<double>& x, const std::vector<double>& y) {
  double mx = 0, my = 0, xx = 0, xy = 0;
  const auto n = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) mx += x[i] / n, my += y[i] / n;
  for (std::size_t i = 0; i < x.size(); ++i) xx += (x[i] - mx) * (x[i] - mx), xy += (x[i] - mx) * (y[i] - my);
  return xy / xx;
}

}  // namespace

const char* name(Quantity quantity) {
  constexpr const char* kNames[] = {"distance²", "generalization gap", "test risk"};
  return kNames[static_cast<std::size_t>(quantity)];
}

Interval interval(const std::vector<double>& values) {
  const report::MeanAndDeviation m = report::mean_and_deviation(values);
  Interval i{m.mean, m.mean, m.mean, m.left_out};
  if (m.count < 2) return i;
  const double reach = report::t_quantile(m.count - 1) * m.deviation / std::sqrt(static_cast<double>(m.count));
  i.low = m.mean - reach, i.high = m.mean + reach;
  return i;
}

std::vector<Curve> curves(const std::vector<Cell>& cells, const std::string& problem, Axis axis, Quantity quantity) {
  std::vector<Curve> all;
  for (const char* method : {"sgd", "sgd at alpha lr", "lookahead"}) {
    Curve curve{method, {}, {}};
    for (const AxisPoint& point : points_of(cells, problem, axis, method)) {
      std::vector<double> values;
      for (const Outcome& o : point.outcomes) values.push_back(value_of(o, quantity));
      curve.at.push_back(point.at);
      curve.values.push_back(interval(values));
    }
    if (!curve.at.empty()) all.push_back(std::move(curve));
  }
  return all;
}

std::optional<Interval> slope(const std::vector<Cell>& cells, const std::string& problem, Axis axis,
                              const std::string& method, double least, double most) {
  const std::vector<AxisPoint> points = points_of(cells, problem, axis, method);
  if (points.empty()) return std::nullopt;
  std::vector<double> slopes;
  for (std::size_t repetition = 0; repetition < points[0].outcomes.size(); ++repetition) {
    std::vector<double> x, y;
    for (const AxisPoint& point : points) {
      const double value = point.outcomes[repetition].distance2;
      if (point.at < least || point.at > most || !(value > 0) || !std::isfinite(value)) continue;
      x.push_back(std::log(point.at)), y.push_back(std::log(value));
    }
    if (x.size() > 1) slopes.push_back(slope_of(x, y));
  }
  if (slopes.empty()) return std::nullopt;
  return interval(slopes);
}

std::optional<Interval> ratio(const std::vector<Cell>& cells, const std::string& problem, Axis axis, double at,
                              const std::string& a, const std::string& b, Quantity quantity) {
  const auto find = [&](const std::string& method) -> std::vector<Outcome> {
    for (AxisPoint& point : points_of(cells, problem, axis, method))
      if (point.at == at) return std::move(point.outcomes);
    return {};
  };
  const std::vector<Outcome> x = find(a), y = find(b);
  if (x.empty() || x.size() != y.size()) return std::nullopt;
  std::vector<double> logs;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double quotient = value_of(x[i], quantity) / value_of(y[i], quantity);
    if (!(quotient > 0)) return std::nullopt;
    logs.push_back(std::log(quotient));
  }
  const Interval i = interval(logs);
  return Interval{std::exp(i.mean), std::exp(i.low), std::exp(i.high), i.left_out};
}

std::vector<double> theory(const std::vector<Cell>& cells, const Problem& problem, Axis axis, const Curve& measured) {
  const std::vector<AxisPoint> points = points_of(cells, problem.name, axis, measured.method);
  std::vector<double> shape;
  for (const AxisPoint& point : points) {
    const Method& m = point.training->method;
    const double n = point.training->n, b = point.training->batch;
    const double t = axis == Axis::steps ? point.at : point.training->looks.back();
    if (problem.strength > 0 && axis == Axis::steps) {
      const double r = 1 - m.alpha * (1 - std::pow(1 - m.lr * problem.strength, m.k));
      shape.push_back(std::pow(1 - std::pow(r, t / m.k), 2));
      continue;
    }
    double risks = 0;
    for (const Outcome& o : point.outcomes) risks += o.risks / static_cast<double>(point.outcomes.size());
    const double lr = m.alpha * m.lr;
    shape.push_back(problem.smoothness * lr * lr * (1 / (n * b) + t / (n * n)) * risks);
  }
  if (shape.empty()) return shape;
  const std::size_t meet = axis == Axis::steps ? shape.size() - 1 : 0;
  const double scale = measured.values[meet].mean / shape[meet];
  for (double& value : shape) value *= scale;
  return shape;
}

}  // namespace tandem::stability
