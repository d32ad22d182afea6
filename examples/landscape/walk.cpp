// The loop of every program, on two weights.
#include "walk.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <tandem/autograd/ops.h>
#include <tandem/optim/optimizer.h>

namespace tandem::landscape {

Walk walk(const Surface& surface, const std::string& optimizer, Spot start, std::int64_t steps) {
  Walk result;
  result.optimizer = optimizer;
  Tensor w(Array::from({start.x, start.y}, {2}, DType::f64), true);
  const auto point = [&](std::int64_t step, bool is_before_pull) {
    const double x = w.value().at({0}), y = w.value().at({1});
    result.points.push_back({step, x, y, surface.value(x, y), is_before_pull});
  };
  Optimizer bound({{"w", w}}, parse_rule(optimizer, steps));
  bound.on_sync([&](const SyncEvent& event) {
    if (event.level == 0) point(event.step, true);
  });
  point(0, false);
  for (std::int64_t step = 1; step <= steps && !result.diverged; ++step) {
    bound.step([&] {
      const Tensor loss = surface.loss(w[0], w[1]);
      loss.backward();
      return loss;
    });
    point(step, false);
    const WalkPoint& p = result.points.back();
    result.diverged = !(std::hypot(p.x, p.y) < kTooFar) || !std::isfinite(p.loss);
  }
  const EvaluationWeights slow = bound.evaluation_weights();
  result.end = {w.value().at({0}), w.value().at({1})};
  result.end_loss = surface.value(result.end.x, result.end.y);
  result.distance = std::numeric_limits<double>::infinity();
  for (const Spot& minimum : surface.minima)
    result.distance = std::min(result.distance, std::hypot(result.end.x - minimum.x, result.end.y - minimum.y));
  return result;
}

}  // namespace tandem::landscape
