// What counts as a plateau, as in PyTorch's ReduceLROnPlateau with a relative threshold. See plateau.h.
#include <tandem/optim/text/plateau.h>

#include <cmath>

#include <tandem/optim/text/curve.h>

namespace tandem {

void PlateauState::report(const PlateauRule& rule, double metric, bool is_higher_better) {
  double* const n = numbers();
  double &reports = n[0], &best = n[1], &bad = n[2], &cooldown = n[3], &reductions = n[4];
  const double margin = rule.threshold * std::abs(best);  // of a negative best too: PyTorch lets equal ones pass there
  const bool is_better = is_higher_better ? metric > best + margin : metric < best - margin;
  if (std::isfinite(metric) && (reports == 0 || is_better)) {
    best = metric;
    bad = 0;
  } else {
    ++bad;
  }
  if (std::isfinite(metric)) ++reports;
  if (cooldown > 0) {
    --cooldown;
    bad = 0;
  }
  if (bad > rule.patience) {
    ++reductions;
    cooldown = rule.cooldown;
    bad = 0;
  }
}

Schedule with_own_plateaus(const Schedule& schedule, std::vector<OwnPlateau>& plateaus) {
  Schedule own(schedule.scale());
  for (const auto& curve : schedule.curves()) {
    auto copy = std::make_shared<Curve>(*curve);
    copy->own_plateaus(plateaus);
    own = own * Schedule(std::shared_ptr<const Curve>(std::move(copy)));
  }
  return own;
}

}  // namespace tandem
