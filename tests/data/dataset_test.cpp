// Dataset: statistics, parts, checksums, checks.
#include <doctest/doctest.h>

#include <cmath>

#include <data/small_sets.h>
#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/data/dataset.h>

using namespace tandem;
using tandem::test::counting_set;

TEST_CASE("channel statistics by hand") {
  Array images = Array::zeros({2, 2, 1, 2}, DType::u8, Layout::channels_last);
  images.set({0, 0, 0, 0}, 255);  // channel 0: 255 0 0 0; channel 1: 51 51 102 102
  for (int n = 0; n < 2; ++n) {
    for (int x = 0; x < 2; ++x) images.set({n, 1, 0, x}, 51 * (n + 1));
  }
  const ChannelStatistics statistics = channel_statistics(images);
  CHECK(statistics.mean[0] == doctest::Approx(0.25));
  CHECK(statistics.deviation[0] == doctest::Approx(std::sqrt(3.0) / 4));
  CHECK(statistics.mean[1] == doctest::Approx(0.3));
  CHECK(statistics.deviation[1] == doctest::Approx(0.1));
  CHECK_THROWS_WITH_AS(channel_statistics(Array::zeros({2, 3}, DType::u8)),
                       "channel_statistics: images must be [N, C, H, W] and not empty: [2, 3]", Error);
  CHECK_THROWS_AS(channel_statistics(Array::zeros({2, 3, 4, 4})), Error);
}

TEST_CASE("channel statistics are equal for every number of threads") {
  const Dataset set = counting_set(1500);
  const int before = threads();
  set_threads(3);
  const ChannelStatistics other = channel_statistics(set.images);
  set_threads(before);
  CHECK(other.mean == set.statistics.mean);
  CHECK(other.deviation == set.statistics.deviation);
}

TEST_CASE("first is a view with the statistics of the whole") {
  const Dataset set = counting_set(30), part = first(set, 4);
  CHECK(part.size() == 4);
  CHECK(part.images.storage() == set.images.storage());
  CHECK(part.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK(part.statistics.mean == set.statistics.mean);
  validate(part);
  CHECK(first(set, 99).size() == 30);
  CHECK_THROWS_WITH_AS(first(set, 0), "first: needs at least one picture: 0 asked for", Error);
}

TEST_CASE("spread takes pictures at equal distances") {
  const Dataset set = counting_set(30), part = spread(set, 4);
  CHECK(part.labels.to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{set.labels.to_vector<std::int64_t>()[3], set.labels.to_vector<std::int64_t>()[11],
                                  set.labels.to_vector<std::int64_t>()[18], set.labels.to_vector<std::int64_t>()[26]});
  CHECK(part.images.select(0, 2).to_vector<int>() == set.images.select(0, 18).to_vector<int>());
  CHECK(part.classes == set.classes);
  CHECK(spread(set, 99).labels.to_vector<std::int64_t>() == set.labels.to_vector<std::int64_t>());
  CHECK_THROWS_WITH_AS(spread(set, 0), "spread: needs at least one picture: 0 asked for", Error);
}

TEST_CASE("a checksum changes with any byte") {
  const Dataset set = counting_set(5);
  const std::uint64_t before = checksum(set);
  CHECK(checksum(counting_set(5)) == before);
  Dataset other = counting_set(5);
  other.images.set({4, 2, 7, 7}, set.images.at({4, 2, 7, 7}) == 0 ? 1 : 0);
  CHECK(checksum(other) != before);
  other = counting_set(5);
  other.labels.set({2}, 9);
  CHECK(checksum(other) != before);
}

TEST_CASE("validate names what does not fit") {
  Dataset set = counting_set(3);
  set.labels.set({1}, 10);
  CHECK_THROWS_WITH_AS(validate(set), "data set \"counting\": a label names no class: label 10 of image 1, 10 classes",
                       Error);
  set = counting_set(3);
  set.labels = Array::zeros({2}, DType::i64);
  CHECK_THROWS_WITH_AS(
      validate(set),
      "data set \"counting\": labels must be i64, one for each image: labels i64 [2], images [3, 3, 8, 8]", Error);
  set = counting_set(3);
  set.images = set.images.contiguous();
  CHECK_THROWS_WITH_AS(validate(set),
                       "data set \"counting\": images must be u8 [N, C, H, W], channels-last: u8 [3, 3, 8, 8], strides "
                       "[192, 64, 8, 1]",
                       Error);
  CHECK_THROWS_WITH_AS(validate(Dataset{}), "data set \"\": has no images or no labels", Error);
}

TEST_CASE("channel statistics of rows wider than 32 bits can sum") {
  Array images = Array::empty({1, 3, 1, 100000}, DType::u8, Layout::channels_last);
  auto* bytes = images.data<std::uint8_t>();
  double squares = 0;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    const int v = 200 + static_cast<int>(i / 3 % 56);
    bytes[i] = static_cast<std::uint8_t>(v);
    squares += (v - 227.5) * (v - 227.5);
  }
  const ChannelStatistics statistics = channel_statistics(images);
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(statistics.mean[c] * 255 == doctest::Approx(227.5).epsilon(1e-4));
    CHECK(statistics.deviation[c] * 255 == doctest::Approx(std::sqrt(squares / 300000)).epsilon(1e-4));
  }
}

TEST_CASE("classification needs two classes") {
  Dataset set = counting_set(3);
  require_classes(set);
  set.classes = {"all"};
  CHECK_THROWS_WITH_AS(
      require_classes(set),
      "data set \"counting\": one class only: \"all\"; put the images of each class into a folder of its own", Error);
}
