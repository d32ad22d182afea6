// The formulas behind `quadratic` against the numbers of the Lookahead analysis: six pairs of variances from a
// recursion of their own, and the table of heavy-ball rates.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "examples/quadratic/theory.h"

using namespace tandem::quadratic;

namespace {

struct VarianceCase {
  double curvature, lr;
  int k;
  double alpha, sgd, lookahead;
};

const std::vector<VarianceCase> kVariances = {
    {1, .5, 5, .5, .333333, .113402},   {1, .5, 5, .8, .333333, .224490},    {1, .1, 5, .5, .052632, .023314},
    {.1, .5, 10, .5, .025641, .011391}, {.01, .5, 20, .2, .002506, .000482}, {1, 1.5, 5, .5, 3.0, .978947},
};

}  // namespace

TEST_CASE("steady-state variances: formula, recursion and the published six pairs agree to 1e-6") {
  for (const VarianceCase& c : kVariances) {
    const NoisyQuadratic q{.curvature = c.curvature, .lr = c.lr, .noise = 1};
    CHECK(std::abs(sgd_variance(q) - c.sgd) < 1e-6);
    CHECK(std::abs(lookahead_variance(q, c.k, c.alpha) - c.lookahead) < 1e-6);
    CHECK(std::abs(second_moment_after(q, 1, 1, 0, 200000) - sgd_variance(q)) < 1e-9);
    CHECK(std::abs(second_moment_after(q, c.k, c.alpha, 0, 200000) - lookahead_variance(q, c.k, c.alpha)) < 1e-9);
    CHECK(lookahead_variance(q, c.k, 1) == doctest::Approx(sgd_variance(q)));
    CHECK(lookahead_variance(q, c.k, c.alpha) < sgd_variance(q));
  }
}

TEST_CASE("the mean shrinks by 1 - alpha + alpha r a cycle") {
  const NoisyQuadratic q{.curvature = 1, .lr = .1, .noise = 0};
  const double r = std::pow(.9, 5);
  CHECK(second_moment_after(q, 5, .5, 2, 15) == doctest::Approx(4 * std::pow(.5 + .5 * r, 6)));
}

TEST_CASE("the table of heavy-ball rates, momentum .99, to 3 %") {
  struct Row {
    double condition;
    double five[3], twenty[3];
  };
  const Row rows[] = {
      {10, {2.3e-2, 6.0e-2, 1.1e-1}, {1.0e-2, 1.8e-2, 2.9e-2}},
      {100, {6.9e-3, 9.9e-3, 1.4e-2}, {5.6e-3, 4.4e-3, 4.1e-3}},
      {1000, {5.2e-3, 3.3e-3, 1.5e-3}, {5.0e-3, 2.6e-3, 1.75e-3}},
  };
  const State states[] = {State::maintain, State::interpolate, State::reset};
  for (const Row& row : rows) {
    CHECK(best_rate({.momentum = .99}, row.condition).rate == doctest::Approx(5.0e-3).epsilon(0.03));
    for (int s = 0; s < 3; ++s) {
      CHECK(best_rate({.99, 5, .5, states[s]}, row.condition).rate == doctest::Approx(row.five[s]).epsilon(0.03));
      CHECK(best_rate({.99, 20, .5, states[s]}, row.condition).rate == doctest::Approx(row.twenty[s]).epsilon(0.03));
    }
  }
}

TEST_CASE("maintain diverges at lr 1 where the heavy ball alone converges; interpolate does not") {
  CHECK(1 - worst_contraction({.99, 5, .5, State::maintain}, 1, 1000) == doctest::Approx(-4e-4).epsilon(0.03));
  CHECK(worst_contraction({.momentum = .99}, 1, 1000) < 1);
  CHECK(worst_contraction({.99, 5, .5, State::interpolate}, 1, 1000) < 1);
}

TEST_CASE("Lookahead hurts an over-damped heavy ball") {
  const double alone = best_rate({.momentum = .5}, 100).rate;
  for (State state : {State::maintain, State::interpolate, State::reset}) {
    CHECK(best_rate({.5, 5, .5, state}, 100).rate < alone);
  }
}
