// The state of one plateau schedule in one Optimizer: what it has seen of the reported metric. Private to optim/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/optim/schedule.h>

namespace tandem {

struct PlateauRule {
  double patience, threshold, cooldown, maximize;
};

class PlateauState {
 public:
  PlateauState() : numbers_(Array::zeros({5}, DType::f64)) {}

  /// A metric that is not better than the best by `threshold` of it for more than `patience` reports in a row makes
  /// one more reduction; `cooldown` reports after it are not counted. A metric that is not finite is never better.
  void report(const PlateauRule& rule, double metric, bool is_higher_better);
  double reductions() const { return numbers()[4]; }
  /// f64 [5]: finite reports, best, bad in a row, cooldown left, reductions. Shared, for the state tree.
  Array& array() { return numbers_; }

 private:
  double* numbers() { return numbers_.data<double>(); }
  const double* numbers() const { return numbers_.data<double>(); }
  Array numbers_;
};

/// The schedule with fresh plateau states of its own, which are appended, with what they obey.
struct OwnPlateau {
  std::shared_ptr<PlateauState> state;
  PlateauRule rule;
};
Schedule with_own_plateaus(const Schedule& schedule, std::vector<OwnPlateau>& plateaus);

}  // namespace tandem
