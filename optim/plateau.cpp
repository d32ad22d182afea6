// What counts as a plateau, as in PyTorch's ReduceLROnPlateau with a relative threshold. See plateau.h.
#include <tandem/optim/plateau.h>

#include <tandem/optim/curve.h>

namespace tandem {

void PlateauState::report(const PlateauRule& rule, double metric) {
  double* const n = numbers();
  double &reports = n[0], &best = n[1], &bad = n[2], &cooldown = n[3], &reductions = n[4];
  const bool is_higher_better = rule.maximize != 0;
  const double bar = best * (is_higher_better ? 1 + rule.threshold : 1 - rule.threshold);
  if (reports == 0 || (is_higher_better ? metric > bar : metric < bar)) {
    best = metric;
    bad = 0;
  } else {
    ++bad;
  }
  ++reports;
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

Schedule with_own_plateaus(const Schedule& schedule, std::vector<BoundPlateau>& plateaus) {
  Schedule own(schedule.scale());
  for (const auto& curve : schedule.curves()) {
    auto copy = std::make_shared<Curve>(*curve);
    copy->own_plateaus(plateaus);
    own = own * Schedule(std::shared_ptr<const Curve>(std::move(copy)));
  }
  return own;
}

}  // namespace tandem
