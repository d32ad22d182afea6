// Curves: means at the steps that all have, thinning that keeps what stands out.
#include <tandem/report/thin.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace tandem::report;

TEST_CASE("the mean of two runs and the band between them, where both were measured") {
  const Curve curve = mean_curve({{{1, 2, 3}, {1, 2, 5}}, {{1, 2, 4}, {3, NAN, 7}}});
  CHECK(curve.x == std::vector<double>{1});
  CHECK(curve.y == std::vector<double>{2});
  CHECK(curve.low == std::vector<double>{1});
  CHECK(curve.high == std::vector<double>{3});
  const Curve alone = mean_curve({{{1, 2}, {5, NAN}}});
  CHECK(alone.x == std::vector<double>{1});
  CHECK(alone.low.empty());
}

TEST_CASE("a mean with an infinite value is infinite") {
  CHECK(std::isinf(mean_curve({{{1}, {1}}, {{1}, {INFINITY}}}).y.at(0)));
}

TEST_CASE("a short curve stays as it is") {
  const Curve curve{{1, 2, 3}, {3, 1, 2}, {}, {}};
  CHECK(thinned(curve, 3).y == curve.y);
}

TEST_CASE("of every stretch the smallest and the largest stay, in order, and the band is as wide as it was") {
  const Curve curve{
      {1, 2, 3, 4, 5, 6, 7, 8}, {5, 9, 1, 5, 2, 2, 8, 0}, {4, 8, -7, 4, 1, 1, 7, -1}, {6, 10, 2, 6, 3, 3, 50, 1}};
  const Curve kept = thinned(curve, 4);
  CHECK(kept.x == std::vector<double>{2, 3, 7, 8});
  CHECK(kept.y == std::vector<double>{9, 1, 8, 0});
  CHECK(kept.low == std::vector<double>{-7, -7, -1, -1});
  CHECK(kept.high == std::vector<double>{10, 10, 50, 50});
}

TEST_CASE("a long curve has at most so many points, a spike among them, and a constant one no point twice") {
  Curve curve;
  for (int i = 0; i < 100000; ++i) curve.x.push_back(i), curve.y.push_back(i == 77777 ? 1000 : 1);
  const Curve kept = thinned(curve);
  CHECK(kept.x.size() <= kMostPoints);
  CHECK(*std::max_element(kept.y.begin(), kept.y.end()) == 1000);
  CHECK(std::adjacent_find(kept.x.begin(), kept.x.end()) == kept.x.end());
  curve.y.assign(curve.y.size(), NAN);
  CHECK(thinned(curve).x.size() <= kMostPoints);
}
