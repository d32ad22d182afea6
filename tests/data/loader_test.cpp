// The Loader: what is in a batch, order, workers, positions, memory, errors in workers, early ends.
#include <doctest/doctest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <data/small_sets.h>
#include <tandem/core/allocator.h>
#include <tandem/core/error.h>
#include <tandem/data/loader.h>

using namespace tandem;
using tandem::test::counting_set;

namespace {

// One batch per element, copied.
std::vector<Batch> read_epoch(Loader& loader) {
  std::vector<Batch> batches;
  for (auto [images, labels] : loader) batches.push_back({images.clone(), labels.clone()});
  return batches;
}

bool equal(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!identical(a[i].images, b[i].images) || !identical(a[i].labels, b[i].labels)) return false;
  }
  return true;
}

// A set whose image i is filled with byte i, so that a batch shows which images it holds.
Dataset numbered_set(std::int64_t n) {
  Dataset set = counting_set(n, 1, 2);
  for (std::int64_t i = 0; i < n; ++i)
    std::fill_n(set.images.data<std::uint8_t>() + 4 * i, 4, static_cast<std::uint8_t>(i));
  return set;
}

std::vector<int> numbers(const Array& images) {
  std::vector<int> result;
  for (std::int64_t i = 0; i < images.shape(0); ++i)
    result.push_back(static_cast<int>(images.at({i, 0, 0, 0}) * 255 + 0.5));
  return result;
}

std::vector<int> numbers(const std::vector<Batch>& batches) {
  std::vector<int> result;
  for (const Batch& batch : batches) {
    for (const int number : numbers(batch.images)) result.push_back(number);
  }
  return result;
}

// Says that it makes pictures larger than any memory.
struct Enlarge : TransformStep {
  PictureFormat output(const PictureFormat& in) const override {
    return {std::int64_t{1} << 32, std::int64_t{1} << 32, in.channels, false};
  }
  void apply(Picture&, Generator&) const override {}
  std::string describe() const override { return "enlarge"; }
};

}  // namespace

TEST_CASE("batches are f32 channels-last with i64 labels, the last one smaller") {
  const Dataset set = counting_set(10);
  for (const int workers : {0, 2}) {
    Loader loader(set, {.batch = 4, .shuffle = false, .workers = workers});
    CHECK(loader.batches() == 3);
    const std::vector<Batch> batches = read_epoch(loader);
    REQUIRE(batches.size() == 3);
    CHECK(batches[0].images.shape() == Shape{4, 3, 8, 8});
    CHECK(batches[0].images.is_channels_last());
    CHECK(batches[0].images.dtype() == DType::f32);
    CHECK(batches[1].labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{4, 5, 6, 7});
    CHECK(batches[2].images.shape() == Shape{2, 3, 8, 8});
    CHECK(batches[2].labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{8, 9});
    CHECK(batches[1].images.at({2, 1, 3, 4}) == doctest::Approx(set.images.at({6, 1, 3, 4}) / 255));
  }
  Loader loader(set, {.batch = 4, .drop_last = true});
  CHECK(loader.batches() == 2);
  CHECK(read_epoch(loader).size() == 2);
}

TEST_CASE("an epoch holds every image once, in an order of its seed and number") {
  Loader loader(numbered_set(50), {.batch = 8, .seed = 3});
  const std::vector<int> first = numbers(read_epoch(loader)), second = numbers(read_epoch(loader));
  CHECK(loader.epoch() == 1);
  std::vector<int> sorted = first, all(50);
  std::sort(sorted.begin(), sorted.end());
  std::iota(all.begin(), all.end(), 0);
  CHECK(sorted == all);
  CHECK(first != all);
  CHECK(first != second);
  loader.start_epoch(0);
  CHECK(numbers(read_epoch(loader)) == first);
  Loader other(numbered_set(50), {.batch = 8, .seed = 4});
  CHECK(numbers(read_epoch(other)) != first);
  Loader larger(numbered_set(50), {.batch = 25, .seed = 3});
  CHECK(numbers(read_epoch(larger)) == first);
}

TEST_CASE("workers change nothing, bit for bit") {
  const Dataset set = counting_set(101, 3, 16);
  const Transform transform = standard_augmentation(set) | cutout({.size = 6});
  Loader reference(set, {.batch = 8, .seed = 11, .workers = 0, .transform = transform});
  const std::vector<Batch> first = read_epoch(reference), second = read_epoch(reference);
  CHECK(!equal(first, second));
  for (const int workers : {1, 2, 3}) {
    for (const std::int64_t prefetch : {1, 2, 7}) {
      Loader loader(set, {.batch = 8, .seed = 11, .workers = workers, .transform = transform, .prefetch = prefetch});
      CHECK(equal(read_epoch(loader), first));
      CHECK(equal(read_epoch(loader), second));
    }
  }
}

TEST_CASE("augmentation belongs to the image, not to its place in the order") {
  const Dataset set = counting_set(40, 3, 16);
  const Transform transform = standard_augmentation(set);
  Loader shuffled(set, {.batch = 40, .seed = 5, .transform = transform});
  Loader straight(set, {.batch = 1, .shuffle = false, .seed = 5, .transform = transform});
  Loader order(numbered_set(40), {.batch = 40, .seed = 5});
  const std::vector<int> places = numbers(read_epoch(order));
  const std::vector<Batch> one = read_epoch(shuffled), many = read_epoch(straight);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    CHECK(identical(one[0].images.slice(0, row, row + 1), many[static_cast<std::size_t>(places[i])].images));
  }
}

TEST_CASE("another view has the same images in the same order, augmented by draws of its own") {
  const Dataset set = counting_set(20, 3, 8);
  const auto read = [&](std::int64_t view) {
    Loader loader(set, {.batch = 8, .seed = 4, .transform = random_crop({.size = 8, .padding = 4}), .view = view});
    return read_epoch(loader);
  };
  const std::vector<Batch> first = read(0), second = read(1), third = read(2);
  CHECK(equal(second, read(1)));
  REQUIRE(first.size() == second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(identical(first[i].labels, second[i].labels));
    CHECK_FALSE(identical(first[i].images, second[i].images));
    CHECK_FALSE(identical(second[i].images, third[i].images));
  }
  CHECK_THROWS_WITH_AS(Loader(set, {.view = -1}), "loader: view must not be negative: -1 given", Error);
}

TEST_CASE("the position counts batches handed out, and resumes") {
  const Dataset set = counting_set(30, 3, 16);
  const LoaderOptions options{.batch = 4, .seed = 2, .workers = 2, .transform = standard_augmentation(set)};
  Loader whole(set, options);
  std::vector<Batch> all = read_epoch(whole);
  for (Batch& batch : read_epoch(whole)) all.push_back(batch);
  CHECK(whole.position() == 16);
  for (const std::int64_t at : {0, 1, 5, 7, 8, 9, 15}) {
    Loader loader(set, options);
    loader.set_position(at);
    CHECK(loader.position() == at);
    CHECK(loader.epoch() == at / 8);
    const auto batch = loader.next();
    REQUIRE(batch.has_value());
    CHECK(loader.position() == at + 1);
    CHECK(identical(batch->images, all[static_cast<std::size_t>(at)].images));
  }
  Loader loader(set, options);
  std::int64_t steps = 0;
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (auto [images, labels] : loader) {
      ++steps;
      CHECK(loader.position() == steps);
      if (steps == 3) break;
    }
    if (steps == 3) CHECK(loader.position() == 3);
  }
  CHECK(steps == 8);  // the second loop went on after the break
  CHECK(loader.epoch() == 0);
  CHECK(!loader.next().has_value());
  for (auto batch : loader) {
    CHECK(identical(batch.images, all[8].images));
    break;
  }
  CHECK(loader.epoch() == 1);
  CHECK_THROWS_WITH_AS(loader.set_position(-1), "loader: position must not be negative: -1 given", Error);
  CHECK_THROWS_WITH_AS(loader.start_epoch(-1), "loader: epoch must not be negative: -1 given", Error);
}

TEST_CASE("batches stay valid as long as they are held, also after the Loader") {
  std::vector<Batch> held, copies;
  {
    Loader loader(numbered_set(60), {.batch = 4, .workers = 2, .prefetch = 2});
    for (auto batch : loader) {
      held.push_back(batch);
      copies.push_back({batch.images.clone(), batch.labels.clone()});
    }
  }
  CHECK(equal(held, copies));
}

TEST_CASE("after the first batches no memory is asked for") {
  const Dataset set = counting_set(64, 3, 16);
  for (const int workers : {0, 1, 3}) {
    Loader loader(set, {.batch = 6, .workers = workers, .transform = standard_augmentation(set)});
    loader.next();
    const MemoryStats before = memory_stats();
    for (int epoch = 0; epoch < 3; ++epoch) {
      for (auto [images, labels] : loader) CHECK(images.shape(1) == 3);
    }
    CHECK(memory_stats().system_allocations == before.system_allocations);
  }
}

TEST_CASE("an exception in a worker comes out in its turn, and the batch can be tried again") {
  for (const int workers : {0, 1, 3}) {
    std::atomic<bool> is_broken{true};
    const Transform transform = custom("broken", [&](Picture& picture, Generator&) {
      if (picture.pixels<std::uint8_t>()[0] == 13 && is_broken) throw std::runtime_error("image 13 is broken");
    });
    Loader loader(numbered_set(20), {.batch = 4, .shuffle = false, .workers = workers, .transform = transform});
    std::vector<int> seen;
    const auto run = [&] {
      for (auto batch : loader) {
        for (const int number : numbers(batch.images)) seen.push_back(number);
      }
    };
    CHECK_THROWS_WITH_AS(run(), "image 13 is broken", std::runtime_error);
    CHECK(seen.size() == 12);
    CHECK(loader.position() == 3);
    CHECK_THROWS_WITH_AS(run(), "image 13 is broken", std::runtime_error);
    is_broken = false;
    run();
    std::vector<int> all(20);
    std::iota(all.begin(), all.end(), 0);
    CHECK(seen == all);
  }
}

TEST_CASE("a Loader may end or start anew at any time") {
  const Dataset set = counting_set(200, 3, 16);
  const LoaderOptions options{.batch = 4, .workers = 3, .transform = standard_augmentation(set)};
  for (int batches = 0; batches < 12; ++batches) {
    Loader loader(set, options);
    for (int i = 0; i < batches; ++i) loader.next();
  }
  Loader loader(set, options), reference(set, {.batch = 4, .workers = 0, .transform = options.transform});
  for (std::int64_t epoch = 5; epoch > 0; --epoch) {
    loader.start_epoch(epoch);
    reference.start_epoch(epoch);
    for (int i = 0; i < 3; ++i) CHECK(identical(loader.next()->images, reference.next()->images));
  }
  Loader moved = std::move(loader);
  CHECK(identical(moved.next()->images, reference.next()->images));
  moved = Loader(set, options);
  CHECK(moved.position() == 0);
}

TEST_CASE("what a Loader cannot do is said when it is made") {
  const Dataset set = counting_set(6);
  CHECK_THROWS_WITH_AS(Loader(set, {.batch = 0}), "loader: batch must be positive: 0 given", Error);
  CHECK_THROWS_WITH_AS(Loader(set, {.workers = -1}), "loader: workers must not be negative: -1 given", Error);
  CHECK_THROWS_WITH_AS(Loader(set, {.workers = 2000000}), "loader: workers may be 1024 at most: 2000000 given", Error);
  CHECK(Loader(set, {.workers = 1000}).next().has_value());  // no more threads than batches
  CHECK_THROWS_WITH_AS(Loader(set, {.prefetch = 0}), "loader: prefetch must be positive: 0 given", Error);
  CHECK_THROWS_WITH_AS(Loader(set, {.batch = 7, .drop_last = true}),
                       "loader: drop_last leaves no batch: batch 7, data set \"counting\" has 6 images", Error);
  CHECK_THROWS_AS(Loader(set, {.transform = random_crop({.size = 20})}), Error);
  CHECK_THROWS_AS(Loader(Dataset{}), Error);
}

TEST_CASE("options larger than the set: one batch of all, in memory of the set's size") {
  const Dataset set = counting_set(20);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t batch : {std::int64_t{1000000}, std::int64_t{10000000000}, std::int64_t{1} << 61, most}) {
    for (const int workers : {0, 2}) {
      Loader loader(set, {.batch = batch, .workers = workers, .prefetch = most});
      Loader whole(set, {.batch = 20, .workers = 0});
      CHECK(loader.batches() == 1);
      CHECK(identical(loader.next()->images, whole.next()->images));
      CHECK_FALSE(loader.next());
      CHECK(loader.options().batch == batch);
    }
  }
  Loader small(set, {.batch = 3, .prefetch = std::int64_t{1} << 62});
  CHECK(read_epoch(small).size() == 7);
  small.start_epoch(most);
  CHECK(small.position() == most);
  CHECK_THROWS_WITH_AS(Loader(set, {.transform = Transform(std::make_shared<Enlarge>())}),
                       "loader: a batch is too large: 20 images of 3x4294967296x4294967296 f32; take a smaller batch",
                       Error);
}
