// Schedules as products of curves, and the functions that make them. The formulas stand in curve.cpp.
#include <tandem/optim/schedule.h>

#include <cmath>

#include <tandem/optim/text/curve.h>
#include <tandem/optim/text/spec.h>

namespace tandem {

Schedule::Schedule(std::shared_ptr<const Curve> curve) : scale_(1), curves_{std::move(curve)} {}

double Schedule::at(std::int64_t step) const {
  double value = scale_;
  for (const auto& curve : curves_) value *= curve->at(step);
  return value;
}

std::string Schedule::describe() const {
  std::string text = curves_.empty() || scale_ != 1 ? spec::number(scale_) : std::string();
  for (const auto& curve : curves_) text.append(text.empty() ? "" : " * ").append(curve->describe());
  return text;
}

Schedule Schedule::operator*(const Schedule& other) const {
  Schedule product = *this;
  product.scale_ *= other.scale_;
  product.curves_.insert(product.curves_.end(), other.curves_.begin(), other.curves_.end());
  return product;
}

namespace schedule {
namespace {
std::vector<double> one(std::int64_t steps) { return {static_cast<double>(steps)}; }
}  // namespace

Schedule constant(const ConstantOptions& options) {
  return Schedule(make_curve("constant", {{"warmup", one(options.warmup)}}));
}

Schedule linear(const LinearOptions& options) {
  return Schedule(
      make_curve("linear", {{"total", one(options.total)}, {"warmup", one(options.warmup)}, {"end", {options.end}}}));
}

Schedule step(const StepOptions& options) {
  return Schedule(
      make_curve("step", {{"every", one(options.every)}, {"by", {options.by}}, {"warmup", one(options.warmup)}}));
}

Schedule multistep(const MultistepOptions& options) {
  const std::vector<double> at(options.at.begin(), options.at.end());
  return Schedule(make_curve("multistep", {{"at", at}, {"by", {options.by}}, {"warmup", one(options.warmup)}}));
}

Schedule cosine(const CosineOptions& options) {
  return Schedule(
      make_curve("cosine", {{"total", one(options.total)}, {"warmup", one(options.warmup)}, {"end", {options.end}}}));
}

Schedule one_cycle(const OneCycleOptions& options) {
  const std::int64_t rise = std::max<std::int64_t>(1, std::llround(0.3 * static_cast<double>(options.total)));
  return Schedule(make_curve("one_cycle", {{"total", one(options.total)},
                                           {"warmup", one(options.warmup < 0 ? rise : options.warmup)},
                                           {"start", {options.start}},
                                           {"end", {options.end}}}));
}

Schedule polynomial(const PolynomialOptions& options) {
  return Schedule(make_curve("polynomial", {{"total", one(options.total)},
                                            {"warmup", one(options.warmup)},
                                            {"power", {options.power}},
                                            {"end", {options.end}}}));
}

Schedule inverse_sqrt(const InverseSqrtOptions& options) {
  return Schedule(make_curve("inverse_sqrt", {{"warmup", one(options.warmup)}}));
}

Schedule restarts(const RestartsOptions& options) {
  return Schedule(make_curve("restarts", {{"period", one(options.period)},
                                          {"warmup", one(options.warmup)},
                                          {"factor", {options.factor}},
                                          {"end", {options.end}}}));
}

Schedule piecewise(const std::vector<Schedule>& parts, const PiecewiseOptions& options) {
  return Schedule(make_curve("piecewise", {{"at", {options.at.begin(), options.at.end()}}}, parts));
}

Schedule plateau(const PlateauOptions& options) {
  return Schedule(make_curve("plateau", {{"by", {options.by}},
                                         {"patience", one(options.patience)},
                                         {"cooldown", one(options.cooldown)},
                                         {"warmup", one(options.warmup)},
                                         {"threshold", {options.threshold}},
                                         {"end", {options.end}},
                                         {"maximize", {options.maximize ? 1.0 : 0.0}}}));
}

}  // namespace schedule
}  // namespace tandem
