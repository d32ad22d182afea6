// Ticks are counted in whole multiples of their step, so that labels have no rounding noise.
#include "plot_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "progress.h"

namespace tandem::examples {
namespace {

constexpr double kRounding = 1e-9;  // of a step: a tick on the end of the range is inside

/// Digits after the point that a step of 1, 2 or 5 times 10^exponent needs.
int decimals_of(int exponent) { return std::max(0, -exponent); }

}  // namespace

std::string superscript(int number) {
  constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = number < 0 ? "⁻" : "";
  for (const char c : std::to_string(std::abs(number))) text += kDigits[c - '0'];
  return text;
}

Range range_of(const std::vector<double>& values, bool is_log) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!std::isfinite(value) || (is_log && value <= 0)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) return {is_log ? 0.1 : 0.0, 1.0};
  if (is_log) {
    const double room = low < high ? std::pow(high / low, 0.05) : 2.0;
    return {low / room, high * room};
  }
  const double room = low < high ? 0.05 * (high - low) : low != 0 ? 0.1 * std::abs(low) : 0.5;
  return {low - room, high + room};
}

std::vector<Tick> linear_ticks(const Range& range, int most) {
  const double width = range.high - range.low;
  for (int exponent = static_cast<int>(std::floor(std::log10(width))) - 2;; ++exponent)
    for (const int factor : {1, 2, 5}) {
      const double step = factor * std::pow(10.0, exponent);
      const double first = std::ceil(range.low / step - kRounding), last = std::floor(range.high / step + kRounding);
      if (last - first >= most) continue;
      std::vector<Tick> ticks;
      for (double i = first; i <= last; ++i) {
        const double value = exponent < 0 ? i * factor / std::pow(10.0, -exponent) : i * step;
        ticks.push_back({value, tick_label(value, decimals_of(exponent))});
      }
      return ticks;
    }
}

std::vector<Tick> log_ticks(const Range& range, int most) {
  const int first = static_cast<int>(std::floor(std::log10(range.low))),
            last = static_cast<int>(std::ceil(std::log10(range.high)));
  int powers = 0;
  for (int exponent = first; exponent <= last; ++exponent) {
    const double value = std::pow(10.0, exponent);
    powers += value >= range.low * (1 - kRounding) && value <= range.high * (1 + kRounding) ? 1 : 0;
  }
  const int every = std::max(1, (powers + most - 1) / most);
  std::vector<Tick> ticks;
  for (int exponent = first; exponent <= last; ++exponent)
    for (const int factor : {1, 2, 5}) {
      if (factor > 1 && powers > 2) continue;
      if (factor == 1 && exponent % every != 0) continue;
      const double value = exponent < 0 ? factor / std::pow(10.0, -exponent) : factor * std::pow(10.0, exponent);
      if (value < range.low * (1 - kRounding) || value > range.high * (1 + kRounding)) continue;
      ticks.push_back({value, tick_label(value, decimals_of(exponent))});
    }
  return ticks;
}

std::string tick_label(double value, int decimals) {
  if (value == 0) return fmt::format("{:.{}f}", 0.0, decimals > 4 ? 0 : decimals);
  const double size = std::abs(value);
  const std::string sign = value < 0 ? "−" : "";
  if (size >= 1e6 || decimals > 4) {
    const int exponent = static_cast<int>(std::floor(std::log10(size) + kRounding));
    const std::string factor = fmt::format("{:.3g}", size / std::pow(10.0, exponent));
    return sign + (factor == "1" ? "" : factor + "×") + "10" + superscript(exponent);
  }
  if (decimals == 0) return sign + with_commas(static_cast<std::int64_t>(std::llround(size)));
  return sign + fmt::format("{:.{}f}", size, decimals);
}

}  // namespace tandem::examples
