// On-average model stability (Li & Lei 2025, after Lei & Ying 2020): the same training on a set S and on each neighbour
// S^(i), in which example i is another one of the population, with the same initial weights and the same batch indices:
//
//   distance² = (1/n) sum_i |w(S) - w(S^(i))|²
//   gap       = (1/n) sum_i loss(w(S^(i)); z_i) - loss(w(S); z_i)     in the mean the generalization gap: z_i is new to
//   w(S^(i))
//
// Weights are those that are evaluated: slow ones of Lookahead. Not here: which trainings (plan.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "problem.h"

namespace tandem::stability {

/// Streams of random numbers of a repetition: Generator(seed, stream).split(repetition).
enum Stream : std::uint64_t { kTeacher = 1, kData, kNeighbours, kBatches, kInitial, kNew };

/// SGD (k = 1, alpha = 1), or Lookahead round it.
struct Method {
  std::string name;  ///< "sgd", "sgd at alpha lr", "lookahead"
  double lr = 1;
  int k = 1;
  double alpha = 1;
};

struct Training {
  Method method;
  int n = 100, batch = 4;
  std::vector<int> looks = {300};  ///< steps after which weights are compared, in rising order
};

struct Outcome {
  double distance2 = 0, gap = 0;
  double train = 0, test = 0;  ///< mean loss of w(S) on S and on new examples
  double risks = 0;            ///< sum over the steps so far of the mean loss on S: what bounds depend on
};

/// One repetition: data, teacher, initial weights and batch indices depend on (seed, repetition) alone, so that methods
/// are compared on the same ones. Of at most `neighbours` examples, spread over S. Weights that are not finite any more
/// give outcomes that are not.
std::vector<Outcome> simulate(const Problem& problem, const Training& training, int neighbours, std::uint64_t seed,
                              int repetition);

}  // namespace tandem::stability
