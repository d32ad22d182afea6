// Axes of a plot: which range, ticks at round numbers, how they are written. Not here: drawing (plot.h).
#pragma once

#include <string>
#include <vector>

namespace tandem::examples {

struct Range {
  double low = 0, high = 1;
};

/// From the smallest to the largest finite value and 5 % more on both sides, of the decades on a logarithmic axis,
/// where values that are not positive do not count; a single value gets room around it; [0, 1] (log: [0.1, 1]) when
/// there is none.
Range range_of(const std::vector<double>& values, bool is_log);

struct Tick {
  double value = 0;
  std::string label;
};

/// The multiples of 1, 2 or 5 times a power of ten inside the range: the finest such step with at most `most` of them.
///   linear_ticks({0, 1}, 6): 0.0, 0.2, ... 1.0     linear_ticks({0, 1955}, 5): 0, 500, 1,000, 1,500
std::vector<Tick> linear_ticks(const Range& range, int most);

/// The powers of ten inside the range, with 2 and 5 times them where fewer than three powers are there; every second,
/// third ... where more than `most`.
///   log_ticks({0.03, 3}, 6): 0.05, 0.1, 0.2, 0.5, 1, 2
std::vector<Tick> log_ticks(const Range& range, int most);

/// "0.001", "20,000"; "2×10⁶" from a million on and "2×10⁻⁵" with more than four `decimals`: digits after the point.
std::string tick_label(double value, int decimals);

/// "⁻¹²".
std::string superscript(int number);

}  // namespace tandem::examples
