// The cells of the experiment: for each problem one axis after the other is varied round the base, for SGD, SGD at
// alpha lr (the control) and Lookahead. Not here: one training (simulate.h), what follows (findings.h).
#pragma once

#include <string>
#include <vector>

#include "simulate.h"

namespace tandem::stability {

struct Settings {
  std::vector<std::string> problems;  ///< names
  int repetitions = 40, neighbours = 100;
  std::uint64_t seed = 0;
  // The base.
  int n = 100, batch = 4, k = 5, steps = 300;
  double alpha = 0.5;
};

enum class Axis { batch, n, k, alpha, steps, speedup };
const char* name(Axis axis);

struct Cell {
  std::string problem;
  Axis axis = Axis::batch;
  double at = 0;  ///< the value of the axis; of `steps`, 0: its values are the looks
  Training training;
  std::vector<std::vector<Outcome>> outcomes = {};  ///< by repetition, by look; empty: not measured yet

  std::string key() const;
};

/// batch, n, k, alpha: one varied. steps: one long training, looked at on the way. speedup: batch b with lr = b/16 of
/// the problem's own and 3200 / b steps, so that lr times steps is the same: a linear speed-up would keep the test
/// risk.
std::vector<Cell> plan(const Settings& settings);

}  // namespace tandem::stability
