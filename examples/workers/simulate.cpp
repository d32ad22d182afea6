// The clocks of N machines, moved on step by step. See simulate.h.
#include "simulate.h"

#include <algorithm>

#include <tandem/core/generator.h>

namespace workers {

double StepCosts::bytes() const {
  double all = 0;
  for (const Piece& piece : pieces) all += piece.bytes;
  return all;
}

double all_reduce_seconds(double bytes, int n, const Network& network) {
  if (n < 2) return 0;
  const double others = n - 1;
  return 2 * others * network.latency + 2 * others / n * bytes / network.bytes_per_second;
}

double step_seconds(const StepCosts& costs, int n, const Network& network, Way way, std::int64_t k, std::int64_t steps,
                    std::uint64_t seed) {
  tandem::Generator random(seed);
  std::vector<double> clocks(static_cast<std::size_t>(n)), factors(clocks.size());
  const auto all_at = [&](double time) { std::fill(clocks.begin(), clocks.end(), time); };
  const auto last = [&] { return *std::max_element(clocks.begin(), clocks.end()); };
  for (std::int64_t step = 1; step <= steps; ++step) {
    for (double& factor : factors)
      factor = costs.uneven.empty() ? 1 : costs.uneven[random.below(static_cast<std::uint64_t>(costs.uneven.size()))];
    if (way == Way::overlapped && n > 1) {
      double through = 0;  // the last piece, on all machines
      for (const Piece& piece : costs.pieces) {
        double filled = 0;
        for (std::size_t m = 0; m < clocks.size(); ++m)
          filled = std::max(filled, clocks[m] + factors[m] * (costs.forward + piece.ready));
        through = std::max(through, filled) + all_reduce_seconds(piece.bytes, n, network);
      }
      for (std::size_t m = 0; m < clocks.size(); ++m) clocks[m] += factors[m] * (costs.forward + costs.backward);
      for (double& clock : clocks) clock = std::max(clock, through) + costs.update;
      continue;
    }
    for (std::size_t m = 0; m < clocks.size(); ++m) clocks[m] += factors[m] * (costs.forward + costs.backward);
    if (way == Way::averaged) all_at(last() + all_reduce_seconds(costs.bytes(), n, network));
    for (double& clock : clocks) clock += costs.update;
    if (way == Way::loop && step % k == 0) all_at(last() + all_reduce_seconds(costs.bytes(), n, network));
  }
  return last() / static_cast<double>(steps);
}

}  // namespace workers
