// The synthetic set: seeds, balance, statistics, and the bytes that a seed stands for.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/data/synthetic.h>

using namespace tandem;

TEST_CASE("equal seeds give equal bytes, for every number of threads and size of the set") {
  const TrainTest set = synthetic({.seed = 7, .train = 200, .test = 50});
  CHECK(set.train.images.shape() == Shape{200, 3, 32, 32});
  CHECK(set.train.images.is_channels_last());
  CHECK(set.train.classes == synthetic_classes());
  CHECK(set.train.name == "synthetic train");
  CHECK(set.test.statistics.mean == set.train.statistics.mean);
  validate(set.train);
  validate(set.test);
  const int before = threads();
  set_threads(3);
  const TrainTest larger = synthetic({.seed = 7, .train = 300, .test = 50});
  set_threads(before);
  CHECK(identical(first(larger.train, 200).images, set.train.images));
  CHECK(identical(first(larger.train, 200).labels, set.train.labels));
  CHECK(identical(larger.test.images, set.test.images));
  CHECK(!identical(first(set.train, 50).images, set.test.images));
  CHECK(checksum(synthetic({.seed = 8, .train = 200, .test = 50}).train) != checksum(set.train));
}

TEST_CASE("every ten images hold each class once, in varying order") {
  const Dataset set = synthetic({.train = 200, .test = 10}).train;
  const std::vector<std::int64_t> labels = set.labels.to_vector<std::int64_t>();
  bool varies = false;
  for (auto begin = labels.begin(); begin != labels.end(); begin += 10) {
    std::vector<std::int64_t> ten(begin, begin + 10);
    varies = varies || !std::equal(ten.begin(), ten.end(), labels.begin());
    std::sort(ten.begin(), ten.end());
    for (std::size_t i = 0; i < 10; ++i) CHECK(ten[i] == static_cast<std::int64_t>(i));
  }
  CHECK(varies);
}

TEST_CASE("pixels look like pictures: neither dark, bright, flat nor grey") {
  const Dataset set = synthetic({.train = 1000, .test = 10}).train;
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(set.statistics.mean[c] > 0.35);
    CHECK(set.statistics.mean[c] < 0.55);
    CHECK(set.statistics.deviation[c] > 0.15);
    CHECK(set.statistics.deviation[c] < 0.30);
  }
  const std::uint8_t* bytes = set.images.data<std::uint8_t>();
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const auto [low, high] = std::minmax_element(bytes + i * 3072, bytes + (i + 1) * 3072);
    CHECK(*high - *low > 40);
  }
}

// The bytes of a seed are part of what results mean: this changes only on purpose, with README.md.
TEST_CASE("seed 0 stands for these bytes") {
  const TrainTest set = synthetic({.train = 100, .test = 20});
  CHECK(checksum(set.train) == 0x476d38576676fcc7ULL);
  CHECK(checksum(set.test) == 0x198753acc99042a1ULL);
}

TEST_CASE("sizes must be positive") {
  CHECK_THROWS_WITH_AS(synthetic({.train = 0}), "synthetic: a set needs at least one image: 0 train images asked for",
                       Error);
  CHECK_THROWS_WITH_AS(synthetic({.train = 1, .test = -5}),
                       "synthetic: a set needs at least one image: -5 test images asked for", Error);
}
