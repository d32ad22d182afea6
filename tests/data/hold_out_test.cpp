// Parting a validation set from a training set.
#include <doctest/doctest.h>

#include <data/small_sets.h>
#include <tandem/core/error.h>
#include <tandem/data/hold_out.h>

using namespace tandem;
using tandem::test::counting_set;

TEST_CASE("hold_out: every picture once, by the seed, with the statistics of what is left") {
  const Dataset set = counting_set(30);
  const HeldOut parts = hold_out(set, 7, 3);
  CHECK(parts.train.size() == 23);
  CHECK(parts.held_out.size() == 7);
  validate(parts.train);
  validate(parts.held_out);
  CHECK(parts.train.name == "counting");
  CHECK(parts.held_out.name == "counting, held out");
  // Walking the set in order meets each picture as the next of one part.
  std::int64_t training = 0, validation = 0;
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const Array image = set.images.slice(0, i, i + 1);
    const bool is_held = validation < 7 && identical(image, parts.held_out.images.slice(0, validation, validation + 1));
    const Dataset& part = is_held ? parts.held_out : parts.train;
    std::int64_t& at = is_held ? validation : training;
    REQUIRE(at < part.size());
    CHECK(identical(image, part.images.slice(0, at, at + 1)));
    CHECK(part.labels.at({at}) == set.labels.at({i}));
    ++at;
  }
  CHECK(training == 23);
  CHECK(parts.train.statistics.mean == channel_statistics(parts.train.images).mean);
  CHECK(parts.held_out.statistics.mean == parts.train.statistics.mean);
  CHECK(parts.held_out.statistics.deviation == parts.train.statistics.deviation);
  CHECK(identical(hold_out(set, 7, 3).held_out.images, parts.held_out.images));
  CHECK_FALSE(identical(hold_out(set, 7, 4).held_out.images, parts.held_out.images));
  CHECK_THROWS_WITH_AS(hold_out(set, 30),
                       "hold_out: 30 of 30 pictures cannot be held out; at least one must be, and one be left", Error);
  CHECK_THROWS_AS(hold_out(set, 0), Error);
}
