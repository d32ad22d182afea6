// Adaptive alpha beside fixed ones: the loss of Lookahead over the steps, on quadratics without and with noise and with
// a heavy ball. Adaptive alpha looks along the line between slow and fast weights for the minimum of one batch's loss
// (optim/adaptive_alpha.h): exact without noise, misled by it. Not here: the other experiments
// (experiments.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "measure.h"

namespace tandem::quadratic {

/// An inner rule on a Spectrum.
struct AdaptiveSetting {
  std::string name;
  Spectrum spectrum;
  double lr = 1;
  double momentum = 0;  ///< 0: sgd
  std::int64_t copies = 1;
  int steps = 300;
};

/// One alpha in one setting: the mean loss of all copies at the ends of cycles, from step 0 on.
struct AdaptiveRow {
  AdaptiveSetting setting;
  std::optional<double> alpha;  ///< nothing: adaptive
  std::string rule;
  std::vector<int> steps;
  std::vector<Estimate> losses;  ///< without a standard error where there is no noise
  std::vector<double> theory;    ///< at the same steps; empty where no formula stands here: momentum, adaptive
  /// The first step with at most this part of the first loss; nothing when it was not reached.
  std::optional<int> steps_to(double part) const;
};

constexpr int kAdaptivePeriod = 5;       ///< k
constexpr double kAdaptiveLow = 0.2;     ///< alpha_low
constexpr double kAdaptivePart = 0.001;  ///< of the first loss: what steps are counted to

/// Three settings, in each alpha 0.2, 0.5, 0.8, 1 and adaptive; `copies` of theta where there is noise.
std::vector<AdaptiveRow> run_adaptive(std::int64_t copies, std::uint64_t seed);

}  // namespace tandem::quadratic
