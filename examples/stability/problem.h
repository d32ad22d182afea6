// Problem: a model with few weights, a population of examples and the loss of one example with its gradient, in plain
// double: what stability is measured on, thousands of trainings at a time. Not here: training (simulate.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/core/generator.h>

namespace tandem::stability {

/// `count` examples, `inputs` numbers each.
struct Examples {
  std::vector<double> x, y;
  std::size_t count() const { return y.size(); }
};

struct Problem {
  std::string name, title;
  std::string about;  ///< population and loss, a sentence
  int inputs = 0, weights = 0;
  double lr = 1;          ///< g of the experiments
  double ridge = 0;       ///< lambda of lambda/2 |w|^2, beside the loss of the data
  double smoothness = 1;  ///< L: of the mean loss over the population, at most
  double strength = 0;    ///< mu: the least curvature of the mean loss over the population and of the ridge; 0: none
  bool is_convex = true;

  /// Adds the gradient of one example's loss to g; the loss.
  double (*gradient)(const double* w, const double* x, double y, double* g);
  double (*loss)(const double* w, const double* x, double y);
  /// The label of inputs x, given the population's teacher (normal numbers, as many as `weights`).
  double (*label)(const double* teacher, const double* x, Generator& random);

  /// Inputs from N(0, I / inputs), so that |x|^2 is 1 in the mean; one after the other, so that fewer are the first.
  Examples draw(std::size_t count, const std::vector<double>& teacher, Generator random) const;
  /// Zeros where the problem is convex, else as layers begin: N(0, 1 / inputs).
  std::vector<double> initial(Generator random) const;
};

/// least_squares, logistic, ridge, network.
const std::vector<Problem>& problems();
/// Throws UsageError "--problem: ..." with the nearest name.
const Problem& find_problem(std::string_view name);

/// The mean loss of weights over examples, without the ridge.
double mean_loss(const Problem& problem, const double* w, const Examples& examples);

}  // namespace tandem::stability
