// Eigenvectors and orthonormal bases: by hand, by their definition, and on matrices that have few eigenvalues or none.
#include <cmath>
#include <limits>

#include <tandem/optim/engine/eigen.h>

#include "support.h"

using namespace support;

namespace {

std::vector<double> symmetric(std::int64_t n, std::int64_t rank, std::uint64_t seed) {
  const std::vector<double> g = parameter({n, rank}, seed, DType::f64).value().to_vector<double>();
  std::vector<double> a(static_cast<std::size_t>(n * n));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t k = 0; k < rank; ++k) {
        a[static_cast<std::size_t>(i * n + j)] +=
            g[static_cast<std::size_t>(i * rank + k)] * g[static_cast<std::size_t>(j * rank + k)];
      }
    }
  }
  return a;
}

/// The largest |x_i . x_j - (i == j)| of rows.
double departure(const std::vector<double>& x, std::int64_t n) {
  double worst = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = i == j ? -1 : 0;
      for (std::int64_t k = 0; k < n; ++k) {
        sum += x[static_cast<std::size_t>(i * n + k)] * x[static_cast<std::size_t>(j * n + k)];
      }
      worst = std::max(worst, std::abs(sum));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("eigenvalues by hand, the largest first") {
  std::vector<double> a = {2, 1, 1, 2}, values(2), work(2);
  eigen(a.data(), values.data(), work.data(), 2);
  CHECK(values[0] == doctest::Approx(3).epsilon(1e-15));
  CHECK(values[1] == doctest::Approx(1).epsilon(1e-15));
  CHECK(a[0] * a[1] == doctest::Approx(0.5).epsilon(1e-15));
  CHECK(a[2] * a[3] == doctest::Approx(-0.5).epsilon(1e-15));
  std::vector<double> one = {7};
  eigen(one.data(), values.data(), work.data(), 1);
  CHECK(values[0] == 7);
  CHECK(std::abs(one[0]) == 1);
  std::vector<double> diagonal = {1, 0, 0, 0, 5, 0, 0, 0, 3}, three(3), more(3);
  eigen(diagonal.data(), three.data(), more.data(), 3);
  CHECK(three == std::vector<double>{5, 3, 1});
  CHECK(std::abs(diagonal[1]) == 1);
}

TEST_CASE("A v = lambda v with orthonormal v, for full and for low rank") {
  for (const auto& [n, rank] : {std::pair{5, 5}, std::pair{40, 3}, std::pair{97, 97}, std::pair{20, 0}}) {
    const std::vector<double> a = symmetric(n, rank, 4);
    std::vector<double> v = a, values(static_cast<std::size_t>(n)), work(static_cast<std::size_t>(n));
    eigen(v.data(), values.data(), work.data(), n);
    const double size = std::max(1.0, values[0]);
    CHECK(departure(v, n) < 1e-13);
    double worst = 0;
    for (int e = 0; e < n; ++e) {
      if (e > 0) CHECK(values[static_cast<std::size_t>(e)] <= values[static_cast<std::size_t>(e - 1)]);
      const double* const vector = v.data() + e * n;
      for (int i = 0; i < n; ++i) {
        double sum = -values[static_cast<std::size_t>(e)] * vector[i];
        for (int j = 0; j < n; ++j) sum += a[static_cast<std::size_t>(i * n + j)] * vector[j];
        worst = std::max(worst, std::abs(sum));
      }
    }
    CHECK(worst < 1e-13 * size);
    if (rank < n) CHECK(std::abs(values[static_cast<std::size_t>(rank)]) < 1e-13 * size);
  }
}

TEST_CASE("a matrix that is not finite gives NaN, and comes to an end") {
  std::vector<double> a = symmetric(6, 6, 4), values(6), work(6);
  a[8] = std::numeric_limits<double>::infinity();
  eigen(a.data(), values.data(), work.data(), 6);
  CHECK(std::isnan(values[3]));
  CHECK(std::isnan(a[0]));
}

TEST_CASE("an orthonormal basis spans what the rows did, and fills up where they were too few") {
  std::vector<double> hand = {3, 4, 1, 0};
  orthonormalize(hand.data(), 2);
  const double expected[] = {0.6, 0.8, 0.8, -0.6};
  for (std::size_t i = 0; i < 4; ++i) CHECK(hand[i] == doctest::Approx(expected[i]).epsilon(1e-15));
  std::vector<double> random = parameter({30, 30}, 8, DType::f64).value().to_vector<double>();
  orthonormalize(random.data(), 30);
  CHECK(departure(random, 30) < 1e-13);
  std::vector<double> few = symmetric(12, 4, 3), none(9);
  orthonormalize(few.data(), 12);
  CHECK(departure(few, 12) < 1e-13);
  orthonormalize(none.data(), 3);
  CHECK(none == std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1});
}
