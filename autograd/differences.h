// Differences quotients of a scalar function by each of its numbers, and the verdict on a gradient that they give.
// Private to gradcheck.cpp. Read next: gradcheck.h.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tandem/autograd/gradcheck.h>

namespace tandem::detail {

/// The slopes on both sides of a point: left = (s(x) - s(x - h)) / h, right = (s(x + h) - s(x)) / h.
struct Slopes {
  double left = 0, right = 0;
  double central() const { return (left + right) / 2; }
  double bend() const { return right - left; }
};

/// The slopes by one number with the steps h and 2 h. Where the function is smooth they agree to h^2, and its bend
/// doubles with the step; at a kink the bend stays.
struct Quotients {
  Slopes near, wide;
  double noise = 0;  ///< what rounding s alone makes of a slope: machine epsilon |s| / h
  bool is_kink() const;
};

/// value_at(i, change): s with number i moved by change.
std::vector<Quotients> quotients(std::int64_t count, const std::function<double(std::int64_t, double)>& value_at,
                                 double h);

/// Judges an analytic gradient index by index.
GradcheckInput judge(std::string name, const Array& analytic, const std::vector<Quotients>& numeric, double tolerance);

}  // namespace tandem::detail
