// Schedule: a hyper-parameter as a number or a closed expression over the step, `0.1 * cosine(warmup=98, total=1955)`.
// Printable, parseable, and without state of its own: its position is the optimizer's step.
//
// Steps count from 0: the first call of Optimizer::step() uses the value at step 0. Warm-up, on any curve, multiplies
// by (step + 1) / warmup while step < warmup. Not here: which value is scheduled (rule.h, Fields).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

/// A curve over the step with its arguments; schedule.cpp has the table of all curves.
class Curve;

/// When an update happens: what schedules and step coefficients depend on.
struct Step {
  std::int64_t index = 0;  ///< calls of Optimizer::step() before this one: the position of schedules
  std::int64_t count = 1;  ///< 1 in a leaf's first update; a reset of inner state makes it start at 1 again
};

class Schedule {
 public:
  /// A constant; implicit, so that options read `.lr = 0.1`.
  Schedule(double value = 0) : scale_(value) {}
  /// 1 * curve.
  explicit Schedule(std::shared_ptr<const Curve> curve);

  /// The value in the update that step() calls number `step` (from 0) makes.
  double at(std::int64_t step) const;
  double operator()(const Step& step) const { return at(step.index); }

  bool is_constant() const { return curves_.empty(); }
  /// The number in front of the curves.
  double scale() const { return scale_; }
  const std::vector<std::shared_ptr<const Curve>>& curves() const { return curves_; }
  /// "0.1", "cosine(total=100)", "0.1 * cosine(warmup=98, total=1955)": parse_schedule reads it back.
  std::string describe() const;

  Schedule operator*(const Schedule& other) const;
  bool operator==(const Schedule& other) const { return describe() == other.describe(); }

 private:
  double scale_ = 0;
  std::vector<std::shared_ptr<const Curve>> curves_;
};

inline Schedule operator*(double factor, const Schedule& schedule) { return Schedule(factor) * schedule; }

/// Reads what describe() prints. Step arguments below 1 are fractions of `total`, or of total_steps where the curve has
/// no total of its own; a missing total is total_steps. "cosine(warmup=0.1)" with 1955 steps is
/// cosine(warmup=196, total=1955). Throws UsageError with the column and a suggestion.
Schedule parse_schedule(std::string_view text, std::int64_t total_steps = 0);

/// Every curve starts from 1 (after its warm-up) and is multiplied by the number in front. All throw UsageError for
/// arguments out of range.
namespace schedule {

struct ConstantOptions {
  std::int64_t warmup = 0;
};
/// 1 at every step.
Schedule constant(const ConstantOptions& options = {});

struct LinearOptions {
  std::int64_t total = 0, warmup = 0;
  double end = 0;
};
/// 1 + (end - 1) p with p = (step - warmup) / (total - warmup), and end from step = total on.
Schedule linear(const LinearOptions& options);

struct StepOptions {
  std::int64_t every = 0;
  double by = 0.1;
  std::int64_t warmup = 0;
};
/// by^floor(step / every).
Schedule step(const StepOptions& options);

struct MultistepOptions {
  std::vector<std::int64_t> at;
  double by = 0.1;
  std::int64_t warmup = 0;
};
/// by^(number of entries of `at` that step has reached).
Schedule multistep(const MultistepOptions& options);

struct CosineOptions {
  std::int64_t total = 0, warmup = 0;
  double end = 0;
};
/// end + (1 - end) (1 + cos(pi p)) / 2 with p = (step - warmup) / (total - warmup), and end from step = total on
/// (Loshchilov & Hutter 2017, "SGDR", eq. 5, without restarts; PyTorch's CosineAnnealingLR with T_max = total).
Schedule cosine(const CosineOptions& options);

struct OneCycleOptions {
  std::int64_t total = 0;
  std::int64_t warmup = -1;  ///< steps of the rising phase; -1: 0.3 of total
  double start = 0.04, end = 4e-6;
};
/// Half a cosine from `start` to 1 over the first `warmup` steps, another to `end` at step total - 1 (Smith & Topin
/// 2017, "Super-convergence"; PyTorch's OneCycleLR with div_factor = 1 / start and final_div_factor = start / end).
Schedule one_cycle(const OneCycleOptions& options);

struct PolynomialOptions {
  std::int64_t total = 0, warmup = 0;
  double power = 1, end = 0;
};
/// end + (1 - end) (1 - p)^power with p = (step - warmup) / (total - warmup), and end from step = total on.
Schedule polynomial(const PolynomialOptions& options);

struct InverseSqrtOptions {
  std::int64_t warmup = 0;  ///< at least 1
};
/// sqrt(warmup / (step + 1)) after the warm-up (Vaswani et al. 2017, "Attention is all you need", eq. 3, "Noam"): the
/// paper's lr is this times (d_model warmup)^-0.5.
Schedule inverse_sqrt(const InverseSqrtOptions& options);

struct RestartsOptions {
  std::int64_t period = 0, warmup = 0;
  double factor = 1;  ///< of a period to the one before, at least 1
  double end = 0;
};
/// Half a cosine from 1 to `end` in every period (Loshchilov & Hutter 2017, "SGDR", eq. 5 with T_0 = period, T_mult =
/// factor).
Schedule restarts(const RestartsOptions& options);

struct PiecewiseOptions {
  std::vector<std::int64_t> at;  ///< one entry fewer than parts
};
/// Part i from step at[i - 1] on, where its own step 0 is: piecewise({linear, cosine}, {.at = {100}}).
Schedule piecewise(const std::vector<Schedule>& parts, const PiecewiseOptions& options);

struct PlateauOptions {
  double by = 0.1;
  std::int64_t patience = 10, cooldown = 0, warmup = 0;
  double threshold = 1e-4, end = 0;
  bool maximize = false;  ///< a higher metric is better
};
/// max(end, by^reductions): one reduction more when the metric given to Optimizer::report was for more than `patience`
/// reports in a row not better than the best by `threshold` of it; then `cooldown` reports are not counted (PyTorch's
/// ReduceLROnPlateau). Its state belongs to the Optimizer; a plateau of no Optimizer is 1.
Schedule plateau(const PlateauOptions& options = {});

/// A function of the step. Prints as custom(name); parse_schedule knows it after register_custom(name, function).
Schedule custom(const std::string& name, std::function<double(std::int64_t)> function);
void register_custom(const std::string& name, std::function<double(std::int64_t)> function);

}  // namespace schedule
}  // namespace tandem
