// N machines on paper: hand values of an all-reduce and of each way, and what must hold of all of them.
#include <doctest/doctest.h>

#include <simulate.h>

using namespace workers;

namespace {

const StepCosts kEven = {.forward = 1, .backward = 2, .update = 0.5, .pieces = {{0.5, 8}, {2, 4}}, .uneven = {}};
const Network kFree = {.latency = 0, .bytes_per_second = 1e300};

}  // namespace

TEST_CASE("a ring of n sends 2 (n - 1) messages of a n-th of the bytes") {
  CHECK(all_reduce_seconds(100, 1, {1, 1}) == 0);
  CHECK(all_reduce_seconds(100, 2, {0.25, 50}) == 2 * 0.25 + 100 / 50.0);
  CHECK(all_reduce_seconds(100, 4, {0.25, 50}) == 6 * 0.25 + 1.5 * 100 / 50.0);
}

TEST_CASE("one machine takes a step as long as it does; a free network costs even machines nothing") {
  for (const Way way : {Way::averaged, Way::overlapped, Way::loop}) {
    CHECK(step_seconds(kEven, 1, {1, 1}, way, 3) == doctest::Approx(3.5));
    CHECK(step_seconds(kEven, 8, kFree, way, 3) == doctest::Approx(3.5));
  }
}

TEST_CASE("each way by hand: two machines, 12 bytes, 4 bytes a second") {
  const Network network = {.latency = 0, .bytes_per_second = 4};
  CHECK(step_seconds(kEven, 2, network, Way::averaged) == doctest::Approx(3.5 + 3));
  // The first piece is filled at 1.5 and through at 3.5; the second is filled at 3, begins then at 3.5, and ends
  // at 4.5.
  CHECK(step_seconds(kEven, 2, network, Way::overlapped) == doctest::Approx(4.5 + 0.5));
  CHECK(step_seconds(kEven, 2, network, Way::loop, 6) == doctest::Approx(3.5 + 3.0 / 6));
}

TEST_CASE("uneven machines wait for the slowest, in a loop less often") {
  StepCosts uneven = kEven;
  uneven.uneven = {0.5, 1.5};
  const double averaged = step_seconds(uneven, 8, kFree, Way::averaged);
  const double every20 = step_seconds(uneven, 8, kFree, Way::loop, 20);
  CHECK(averaged > 3.5 * 1.2);  // of eight one is nearly always slow: 5 - 3 / 256 in the mean
  CHECK(every20 < averaged);
  CHECK(every20 > 3.5 * 0.95);
  CHECK(step_seconds(uneven, 8, kFree, Way::averaged) == averaged);  // the same seed
}
