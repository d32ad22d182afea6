// explain: one update of one weight as the paper writes it, with the numbers in it, level by level. The formula is the
// rule's own, run on numbers that remember how they came about (traced.h) from the state that the optimizer had; the
// result is compared with what the optimizer did, bit for bit.
//
//   optimizer.trace("conv1.weight", {0, 0, 1, 1});         // from the next step on
//   optimizer.step();
//   std::puts(optimizer.explain("conv1.weight", {0, 0, 1, 1}).to_string().c_str());
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <tandem/optim/study/traced.h>

namespace tandem {

struct Explanation {
  std::string parameter;
  std::vector<std::int64_t> index;
  std::int64_t step = 0;  ///< its number, from 1
  std::string rule;
  DType dtype = DType::f32;
  double before = 0, gradient = 0, after = 0;         ///< the weight before the step, its gradient, the weight after it
  bool has_gradient = false;                          ///< without one the leaf leaves the weight alone
  bool is_exact = false;                              ///< the lines end at `after`, bit for bit
  std::vector<std::pair<std::string, double>> state;  ///< before the step, by path: "inner/exp_avg", "slow"
  std::vector<std::pair<std::string, double>> measured;  ///< norms, factors, alpha: numbers of the whole step
  std::vector<TracedLine> lines;                         ///< in the order of the arithmetic

  /// A line for each number: `place: name = symbols = numbers = value`.
  std::string to_string() const;
};

}  // namespace tandem
