// Histogram: how many numbers lie in each bin of a signed logarithmic axis. The bins are the same for all parameters,
// steps and runs, so that histograms add up and stand beside each other.
//
//   | <= -10^1.5 | ... | (-10^-7.5, -10^-8] | (-10^-8, 10^-8) | [10^-8, 10^-7.5) | ... | >= 10^1.5 |
//
// Two bins a decade on either side of the middle one, which holds 0; the outermost hold all that is larger.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <tandem/core/array.h>

namespace tandem {

struct Histogram {
  static constexpr int kSide = 20;             ///< bins of one sign
  static constexpr int kBins = 2 * kSide + 1;  ///< the middle one is number kSide
  static constexpr int kLeast = -8;            ///< the middle bin ends at 10^kLeast
  static constexpr int kPerDecade = 2;

  std::array<std::int64_t, kBins> counts{};
  std::int64_t nan = 0;  ///< numbers that have no place

  /// The bin of a number; infinities are in the outermost.
  static int bin_of(double value);
  /// The edge nearer to 0 of a bin, 0 for the middle one: -10^-8, 0, 10^-8, ...
  static double edge_of(int bin);
  /// "-1e-3", "0", "3.2e-8": the edge nearer to 0, for axes.
  static std::string name_of(int bin);

  void add(const Array& values);
  void add(const Histogram& other);
};

/// Pairs of numbers: gradients of elements (x) against the elements themselves (y), by the same bins.
struct Histogram2d {
  std::vector<std::int64_t> counts = std::vector<std::int64_t>(Histogram::kBins * Histogram::kBins);  ///< [y][x]
  std::int64_t nan = 0;

  std::int64_t at(int x, int y) const { return counts[static_cast<std::size_t>(y * Histogram::kBins + x)]; }
  /// Both dense, of the same shape and memory order. Throws Error when they are not.
  void add(const Array& x, const Array& y);
  void add(const Histogram2d& other);
};

}  // namespace tandem
