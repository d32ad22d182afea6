// Shape, broadcasting, and the grammar of errors with layer paths and suggestions.
#include <doctest/doctest.h>

#include <limits>

#include <string>

#include <tandem/core/error.h>
#include <tandem/core/saturate.h>
#include <tandem/core/shape.h>

using namespace tandem;

TEST_CASE("a shape counts, compares and prints") {
  const Shape x{8, 3, 32, 32};
  CHECK(x.count() == 24576);
  CHECK(x[-1] == 32);
  CHECK(x.to_string() == "[8, 3, 32, 32]");
  CHECK(Shape{}.count() == 1);
  CHECK(Shape{2, 0}.count() == 0);
  Shape y{1, 3};
  y.insert(1, 2);
  CHECK(y == Shape{1, 2, 3});
  y.erase(0);
  CHECK(y == Shape{2, 3});
  CHECK_THROWS_WITH_AS(x[4], "shape: dim out of range: 4 of [8, 3, 32, 32]", Error);
  CHECK_THROWS_WITH_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), "shape: too many dims: 9 given, at most 8", Error);
}

TEST_CASE("shapes broadcast from the right") {
  CHECK(broadcast_shape("add", {2, 3}, {3}) == Shape{2, 3});
  CHECK(broadcast_shape("add", {2, 1}, {1, 3}) == Shape{2, 3});
  CHECK(broadcast_shape("add", {}, {0, 2}) == Shape{0, 2});
  CHECK(broadcast_shape("add", {1}, {0}) == Shape{0});
  CHECK_THROWS_WITH_AS(broadcast_shape("add", {2, 3}, {4}), "add: shapes do not broadcast: a [2, 3], b [4]", Error);
}

TEST_CASE("an error gathers the path of the layers it leaves") {
  Error e("conv2d: x has 3 channels, w expects 16");
  e.enter_layer("2", "Conv2d(16 -> 32, kernel 3x3)");
  e.enter_layer("features", "Sequential");
  e.enter_layer("", "Model");
  CHECK(std::string(e.what()) ==
        "layer \"features.2\" Conv2d(16 -> 32, kernel 3x3): conv2d: x has 3 channels, w expects 16");
  CHECK(e.layer_path() == "features.2");
  CHECK(e.message() == "conv2d: x has 3 channels, w expects 16");
}

TEST_CASE("the parts of an error that are empty are left out") {
  CHECK_THROWS_WITH_AS(fail("a", "b", "c", "d"), "a: b: c; d", Error);
  CHECK_THROWS_WITH_AS(fail("a", "b"), "a: b", Error);
  CHECK_THROWS_WITH_AS(fail_usage("a", "b", "", "d"), "a: b; d", UsageError);
}

TEST_CASE("a misspelt word finds its neighbour, a foreign one does not") {
  const std::string known[] = {"momentum", "adam", "lookahead"};
  CHECK(nearest_word("momentun", known, 3) == "momentum");
  CHECK(nearest_word("lokahead", known, 3) == "lookahead");
  CHECK(nearest_word("xyzzy", known, 3).empty());
}

TEST_CASE("sums and products of counts stop at the largest number") {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(saturating_multiply(6, 7) == 42);
  CHECK(saturating_multiply(std::int64_t{1} << 32, std::int64_t{1} << 31) == most);
  CHECK(saturating_multiply(most, 0) == 0);
  CHECK(saturating_multiply(most, 1) == most);
  CHECK(saturating_add(most - 1, 1) == most);
  CHECK(saturating_add(most, 1) == most);
}
