// Walk: where an optimizer goes on a Surface, with Tandem's own Optimizer and autograd, in f64: after every step, and
// at a sync also where the inner rule stood before the pull. Not here: what is drawn of it (walk_page.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/optim/rule.h>

#include "surface.h"

namespace tandem::landscape {

struct WalkPoint {
  std::int64_t step = 0;  ///< 0: the start
  double x = 0, y = 0, loss = 0;
  bool is_before_pull = false;  ///< of a sync: the last fast weights of the cycle
};

struct Walk {
  std::string optimizer, label;
  std::vector<WalkPoint> points;
  Spot end;               ///< the evaluation weights
  double end_loss = 0;    ///< there
  double distance = 0;    ///< from there to the nearest minimum
  bool diverged = false;  ///< ended early, further than kTooFar or at no number
};

inline constexpr double kTooFar = 1e6;

/// `steps` steps from `start`; fewer where it diverges. Throws UsageError where the rule cannot be bound.
Walk walk(const Surface& surface, const std::string& optimizer, Spot start, std::int64_t steps);

}  // namespace tandem::landscape
