// See differences.h.
#include <tandem/autograd/differences.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tandem::detail {

namespace {

std::vector<std::int64_t> index_of(std::int64_t position, const Shape& shape) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()));
  for (int dim = shape.rank() - 1; dim >= 0; --dim) {
    index[static_cast<std::size_t>(dim)] = position % shape[dim];
    position /= shape[dim];
  }
  return index;
}

/// The smallest gradient that the quotients of an input tell from 0 at this tolerance: errors are relative above it.
/// The two steps differ by what truncation makes of them, and by rounding inside the function; of that at most 1
/// counts.
double floor_of(const std::vector<Quotients>& numeric, double tolerance) {
  double difference = 0, noise = 0;
  for (const Quotients& q : numeric) {
    if (!q.is_kink()) difference = std::max(difference, std::abs(q.near.central() - q.wide.central()));
    noise = std::max(noise, q.noise);
  }
  const double floor = std::max(std::min(1.0, 4 * difference / tolerance), 4 * noise / tolerance);
  return std::isfinite(floor) ? std::max(floor, std::numeric_limits<double>::min()) : 1;
}

}  // namespace

bool Quotients::is_kink() const {
  const double bend = std::abs(near.bend()), wide_bend = std::abs(wide.bend());
  if (!std::isfinite(bend) || !std::isfinite(wide_bend)) return false;
  const double steepest = std::max(std::abs(near.left), std::abs(near.right));
  return bend > 1e-3 * steepest && bend > 100 * noise && wide_bend < 1.5 * bend;
}

std::vector<Quotients> quotients(std::int64_t count, const std::function<double(std::int64_t, double)>& value_at,
                                 double h) {
  std::vector<Quotients> all(static_cast<std::size_t>(count));
  if (count == 0) return all;
  const double s = value_at(0, 0);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto slopes = [&](double step) {
      return Slopes{(s - value_at(i, -step)) / step, (value_at(i, step) - s) / step};
    };
    all[static_cast<std::size_t>(i)] = {slopes(h), slopes(2 * h),
                                        std::numeric_limits<double>::epsilon() * std::abs(s) / h};
  }
  return all;
}

GradcheckInput judge(std::string name, const Array& analytic, const std::vector<Quotients>& numeric, double tolerance) {
  GradcheckInput verdict;
  verdict.name = std::move(name);
  verdict.analytic = analytic;
  verdict.numeric = Array::empty(analytic.shape(), DType::f64);
  double* out = verdict.numeric.data<double>();
  const std::vector<double> all = analytic.to_vector<double>();
  const double floor = floor_of(numeric, tolerance);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double a = all[i], n = out[i] = numeric[i].near.central();
    double error = std::abs(a - n) / std::max({floor, std::abs(a), std::abs(n)});
    if (!std::isfinite(error)) error = std::numeric_limits<double>::infinity();
    if (numeric[i].is_kink()) {
      const auto [low, high] = std::minmax(numeric[i].near.left, numeric[i].near.right);
      const double slack = tolerance * std::max({floor, std::abs(low), std::abs(high)});
      ++verdict.kinks;
      if (a >= low - slack && a <= high + slack) error = 0;
    }
    if (error > tolerance) ++verdict.failures;
    if (a != 0 || n != 0) verdict.is_used = true;
    if (i > 0 && error <= verdict.worst_error) continue;
    verdict.worst = index_of(static_cast<std::int64_t>(i), analytic.shape());
    verdict.worst_error = error;
    verdict.worst_analytic = a;
    verdict.worst_numeric = n;
  }
  return verdict;
}

}  // namespace tandem::detail
