// Transforms: hand values of every step, composition, descriptions, errors, and a naive twin of the usual pipeline.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

#include <data/small_sets.h>
#include <tandem/core/error.h>
#include <tandem/data/transform.h>

using namespace tandem;
using tandem::test::counting_set;

namespace {

// The image with these bytes [height, width, channels], transformed by generator `key`.
std::vector<float> apply(const Transform& transform, const std::vector<std::uint8_t>& bytes, PictureFormat format,
                         std::uint64_t key = 0) {
  Picture picture;
  const std::int64_t count = transform.output(format).count();
  std::vector<float> out(static_cast<std::size_t>(count), -99.0F);
  transform.apply(bytes.data(), format, Generator(1).split(key), picture, out.data(), count);
  return out;
}

// Multiplies by 255, to compare with bytes.
std::vector<int> apply_bytes(const Transform& transform, const std::vector<std::uint8_t>& bytes, PictureFormat format,
                             std::uint64_t key = 0) {
  std::vector<int> result;
  for (const float v : apply(transform, bytes, format, key)) result.push_back(static_cast<int>(v * 255 + 0.5F));
  return result;
}

}  // namespace

TEST_CASE("no step divides bytes by 255") {
  CHECK(apply(Transform(), {0, 51, 255, 102}, {1, 2, 2}) ==
        std::vector<float>{0.0F, 51 * (1.0F / 255), 255 * (1.0F / 255), 102 * (1.0F / 255)});
  CHECK(Transform().describe() == "none");
}

TEST_CASE("normalize subtracts the mean and divides by the deviation of each channel") {
  const Transform transform = normalize({.mean = {0.5, 0.2}, .deviation = {0.25, 0.1}});
  const std::vector<float> y = apply(transform, {255, 51, 0, 0, 51, 255}, {1, 3, 2});
  const std::vector<double> expected{2, 0, -2, -2, -1.2, 8};
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(static_cast<double>(y[i]) == doctest::Approx(expected[i]));
  CHECK(transform.describe() == "normalize(mean=0.5000/0.2000, deviation=0.2500/0.1000)");
}

TEST_CASE("a flip mirrors columns, for three channels and for others") {
  const Transform flip = random_flip({.probability = 1});
  CHECK(apply_bytes(flip, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 2, 3}) ==
        std::vector<int>{4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9});
  CHECK(apply_bytes(flip, {1, 2, 3, 4, 5, 6}, {2, 3, 1}) == std::vector<int>{3, 2, 1, 6, 5, 4});
  CHECK(apply_bytes(flip | flip, {1, 2, 3, 4, 5, 6}, {2, 3, 1}) == std::vector<int>{1, 2, 3, 4, 5, 6});
  CHECK(apply_bytes(random_flip({.probability = 0}), {1, 2, 3}, {1, 3, 1}) == std::vector<int>{1, 2, 3});
  int flipped = 0;
  for (std::uint64_t key = 0; key < 1000; ++key) flipped += apply_bytes(random_flip(), {1, 2}, {1, 2, 1}, key)[0] == 2;
  CHECK(flipped > 450);
  CHECK(flipped < 550);
}

TEST_CASE("random crops are all windows of the padded image, about equally often") {
  const Transform crop = random_crop({.size = 2, .padding = 1});
  // 1 2    padded   0 0 0 0
  // 3 4             0 1 2 0
  //                 0 3 4 0
  //                 0 0 0 0
  const std::set<std::vector<int>> windows{{0, 0, 0, 1}, {0, 0, 1, 2}, {0, 0, 2, 0}, {0, 1, 0, 3}, {1, 2, 3, 4},
                                           {2, 0, 4, 0}, {0, 3, 0, 0}, {3, 4, 0, 0}, {4, 0, 0, 0}};
  std::vector<std::vector<int>> seen;
  for (std::uint64_t key = 0; key < 900; ++key) seen.push_back(apply_bytes(crop, {1, 2, 3, 4}, {2, 2, 1}, key));
  CHECK(std::set<std::vector<int>>(seen.begin(), seen.end()) == windows);
  for (const auto& window : windows) CHECK(std::count(seen.begin(), seen.end(), window) > 60);
}

TEST_CASE("a crop may be smaller, not square, and far outside the image") {
  CHECK(apply_bytes(random_crop({.size = {1, 3}}), {1, 2, 3, 4, 5, 6}, {1, 3, 2}) ==
        std::vector<int>{1, 2, 3, 4, 5, 6});
  for (std::uint64_t key = 0; key < 50; ++key) {
    const std::vector<int> y = apply_bytes(random_crop({.size = 1, .padding = 5}), {7}, {1, 1, 1}, key);
    CHECK((y == std::vector<int>{7} || y == std::vector<int>{0}));
  }
}

TEST_CASE("cutout clears a square that may hang over the edge, before or after normalize") {
  const std::vector<std::uint8_t> ones(8 * 8 * 2, 255);
  const ChannelStatistics statistics{.mean = {0.5, 0.5}, .deviation = {0.5, 0.5}};
  std::set<std::int64_t> areas;
  for (std::uint64_t key = 0; key < 300; ++key) {
    const std::vector<float> y = apply(normalize(statistics) | cutout({.size = 3}), ones, {8, 8, 2}, key);
    std::int64_t top = 8, bottom = -1, left = 8, right = -1, cleared = 0;
    for (std::int64_t i = 0; i < 64; ++i) {
      const float a = y[static_cast<std::size_t>(2 * i)], b = y[static_cast<std::size_t>(2 * i + 1)];
      CHECK(a == b);
      CHECK((a == 0.0F || a == 1.0F));
      if (a != 0.0F) continue;
      ++cleared;
      top = std::min(top, i / 8);
      bottom = std::max(bottom, i / 8);
      left = std::min(left, i % 8);
      right = std::max(right, i % 8);
    }
    CHECK(cleared == (bottom - top + 1) * (right - left + 1));
    CHECK(bottom - top + 1 <= 3);
    areas.insert(cleared);
  }
  CHECK(areas == std::set<std::int64_t>{4, 6, 9});
  const std::vector<float> black = apply(cutout({.size = 99}) | normalize(statistics), ones, {8, 8, 2});
  CHECK(std::all_of(black.begin(), black.end(), [](float v) { return v == -1.0F; }));
}

TEST_CASE("the images of a data set are never written") {
  const std::vector<std::uint8_t> ones(64, 255);
  apply(cutout({.size = 99}), ones, {8, 8, 1});
  apply(random_flip({.probability = 1}) | cutout({.size = 99}), ones, {8, 8, 1});
  CHECK(std::all_of(ones.begin(), ones.end(), [](std::uint8_t v) { return v == 255; }));
}

TEST_CASE("a custom step reads, writes and keeps the format") {
  const Transform invert = custom("invert", [](Picture& picture, Generator&) {
    std::uint8_t* p = picture.mutable_pixels<std::uint8_t>();
    for (std::int64_t i = 0; i < picture.format().count(); ++i) p[i] = static_cast<std::uint8_t>(255 - p[i]);
  });
  CHECK(apply_bytes(invert, {1, 2, 254}, {1, 1, 3}) == std::vector<int>{254, 253, 1});
  CHECK(apply_bytes(invert | invert | random_flip({.probability = 1}), {1, 2}, {1, 2, 1}) == std::vector<int>{2, 1});
  CHECK(invert.describe() == "custom(invert)");
  const Transform shrink = custom("shrink", [](Picture& picture, Generator&) {
    picture.next<std::uint8_t>({1, 1, 1});
    picture.switch_to_next();
  });
  CHECK_THROWS_WITH_AS(apply(shrink, {1, 2}, {1, 2, 1}),
                       "custom(shrink): changed the format of the image: 1x1x2 u8 to 1x1x1 u8; derive from "
                       "TransformStep for that",
                       Error);
}

TEST_CASE("steps after normalize work on floats, in any order of sizes") {
  const Dataset set = counting_set(1, 3, 16);
  const std::uint8_t* bytes = set.images.data<std::uint8_t>();
  const std::vector<std::uint8_t> image(bytes, bytes + 16 * 16 * 3);
  const Transform scale = normalize({.mean = {0, 0, 0}, .deviation = {1, 1, 1}});
  const Transform flip = random_flip({.probability = 1}), crop = random_crop({.size = 12, .padding = 2});
  for (std::uint64_t key = 0; key < 20; ++key) {  // padding with 0 and division commute
    CHECK(apply(crop | flip | scale, image, {16, 16, 3}, key) == apply(crop | scale | flip, image, {16, 16, 3}, key));
    CHECK(apply(crop | flip | scale, image, {16, 16, 3}, key) == apply(scale | crop | flip, image, {16, 16, 3}, key));
  }
}

TEST_CASE("the usual pipeline equals its naive twin") {
  const Dataset set = counting_set(1, 3, 32);
  const std::uint8_t* bytes = set.images.data<std::uint8_t>();
  const std::vector<std::uint8_t> image(bytes, bytes + 32 * 32 * 3);
  const Transform transform = standard_augmentation(set);
  const auto pixel = [&](std::int64_t y, std::int64_t x, std::int64_t c) {
    return y < 0 || y >= 32 || x < 0 || x >= 32
               ? 0.0
               : static_cast<double>(image[static_cast<std::size_t>((y * 32 + x) * 3 + c)]);
  };
  for (std::uint64_t key = 0; key < 20; ++key) {
    const std::vector<float> y = apply(transform, image, {32, 32, 3}, key);
    Generator generator = Generator(1).split(key);
    const std::int64_t top = generator.below(9) - 4, left = generator.below(9) - 4;
    const bool is_flipped = generator.uniform() < 0.5;
    double worst = 0;
    for (std::int64_t i = 0; i < 32; ++i) {
      for (std::int64_t j = 0; j < 32; ++j) {
        for (std::int64_t c = 0; c < 3; ++c) {
          const auto channel = static_cast<std::size_t>(c);
          const double value = pixel(top + i, left + (is_flipped ? 31 - j : j), c);
          const double expected = (value / 255 - set.statistics.mean[channel]) / set.statistics.deviation[channel];
          const auto found = static_cast<double>(y[static_cast<std::size_t>((i * 32 + j) * 3 + c)]);
          worst = std::max(worst, std::abs(found - expected));
        }
      }
    }
    CHECK(worst < 1e-6);
  }
}

TEST_CASE("descriptions and output formats compose") {
  const Transform transform = random_crop({.size = {8, 6}, .padding = 4}) | random_flip() |
                              normalize({.mean = {0.5}, .deviation = {0.5}}) | cutout({.size = 5});
  CHECK(transform.describe() ==
        "random_crop(8x6, padding=4) | random_flip(0.5) | normalize(mean=0.5000, deviation=0.5000) | cutout(5)");
  CHECK(transform.output({32, 32, 1}) == PictureFormat{8, 6, 1, false});
  CHECK((Transform() | transform).describe() == transform.describe());
}

TEST_CASE("what does not fit is said") {
  const Transform twice = normalize({.mean = {0.5}, .deviation = {0.5}}) | normalize({.mean = {0.5}, .deviation = {1}});
  CHECK_THROWS_WITH_AS(twice.output({4, 4, 1}), "normalize: the image is normalized already: 1x4x4 f32", Error);
  CHECK_THROWS_WITH_AS(normalize({.mean = {0.5}, .deviation = {0.5}}).output({4, 4, 3}),
                       "normalize: one mean and deviation a channel is needed: image 3x4x4 u8, 1 means", Error);
  CHECK_THROWS_WITH_AS(normalize({.mean = {0.5}, .deviation = {0}}), "normalize: deviation must be positive: 0 given",
                       Error);
  CHECK_THROWS_WITH_AS(normalize({}), "normalize: needs one mean and deviation a channel: 0 means, 0 deviations",
                       Error);
  CHECK_THROWS_WITH_AS(
      random_crop({.size = 8, .padding = 1}).output({4, 9, 1}),
      "random_crop: the window is larger than the image with its padding: image 4x9, padding 1, window 8x8", Error);
  CHECK_THROWS_WITH_AS(random_crop({.size = 0}),
                       "random_crop: size must be positive and padding not negative: size 0x0, padding 0", Error);
  CHECK_THROWS_WITH_AS(random_flip({.probability = 1.5}), "random_flip: probability must be in [0, 1]: 1.5 given",
                       Error);
  CHECK_THROWS_WITH_AS(cutout({.size = 0}), "cutout: size must be positive: 0 given", Error);
}

TEST_CASE("to_unit divides by 255, and is refused by floats") {
  const Dataset set = counting_set(1, 3, 4);
  const PictureFormat format{4, 4, 3, true};
  const std::uint8_t* image = set.images.data<std::uint8_t>();
  std::vector<float> with(48), without(48);
  Picture picture;
  to_unit().apply(image, format, Generator(0), picture, with.data(), 48);
  Transform().apply(image, format, Generator(0), picture, without.data(), 48);
  CHECK(with == without);
  CHECK(with[5] == doctest::Approx(image[5] / 255.0));
  CHECK(to_unit().describe() == "to_unit");
  CHECK_THROWS_WITH_AS((to_unit() | to_unit()).output(format), "to_unit: the image is no longer in bytes: 3x4x4 f32",
                       Error);
}

TEST_CASE("centre_crop takes the middle") {
  const Dataset set = counting_set(1, 1, 5);
  const PictureFormat format{5, 5, 1, true};
  const std::uint8_t* image = set.images.data<std::uint8_t>();
  std::vector<float> out(6);
  Picture picture;
  const Transform transform = centre_crop({.size = {2, 3}});
  CHECK(transform.describe() == "centre_crop(2x3)");
  transform.apply(image, format, Generator(0), picture, out.data(), 6);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j)
      CHECK(out[static_cast<std::size_t>(3 * i + j)] == doctest::Approx(image[(i + 1) * 5 + j + 1] / 255.0));
  }
  CHECK_THROWS_WITH_AS(centre_crop({.size = 6}).output(format),
                       "centre_crop: the window is larger than the image: image 5x5, window 6x6", Error);
  CHECK_THROWS_AS(centre_crop({.size = 0}), Error);
}

TEST_CASE("a step that takes bytes for floats, or floats for bytes, is told so with its name") {
  const PictureFormat format{2, 2, 1, true};
  const std::vector<std::uint8_t> bytes(4);
  const Transform on_floats = custom("noise", [](Picture& p, Generator&) { p.mutable_pixels<float>()[0] += 1; });
  const Transform on_bytes = custom("grey", [](Picture& p, Generator&) { p.mutable_pixels<std::uint8_t>()[0] = 1; });
  CHECK_THROWS_WITH_AS(apply(on_floats, bytes, format),
                       "custom(noise): picture: the pixels are bytes, float asked for: 1x2x2 u8; put to_unit() or "
                       "normalize() before this step",
                       Error);
  CHECK_THROWS_WITH_AS(apply(to_unit() | on_bytes, bytes, format),
                       "custom(grey): picture: the pixels are float, bytes asked for: 1x2x2 f32; put this step before "
                       "to_unit() or normalize()",
                       Error);
  CHECK(apply(to_unit() | on_floats, bytes, format)[0] == 1);
  CHECK(apply_bytes(on_bytes, bytes, format)[0] == 1);
  const Transform reads = custom("reads", [](Picture& p, Generator&) { static_cast<void>(p.pixels<float>()); });
  CHECK_THROWS_AS(apply(reads, bytes, format), Error);
  const Transform writes = custom("writes", [](Picture& p, Generator&) { p.next<float>(p.format()); });
  CHECK_THROWS_WITH_AS(apply(writes, bytes, format),
                       "custom(writes): picture: the next pixels have another type than their format: 1x2x2 u8; "
                       "next<std::uint8_t> for bytes, next<float> for floats",
                       Error);
}

TEST_CASE("a step that makes another size than it says is refused") {
  struct Liar : TransformStep {
    PictureFormat output(const PictureFormat& in) const override { return {in.height, in.width, in.channels, false}; }
    void apply(Picture& picture, Generator&) const override {
      PictureFormat larger = picture.format();
      larger.height *= 2;
      picture.next<std::uint8_t>(larger);
      picture.switch_to_next();
    }
    std::string describe() const override { return "liar"; }
  };
  CHECK_THROWS_WITH_AS(
      apply(Transform(std::make_shared<Liar>()), std::vector<std::uint8_t>(4), {2, 2, 1}),
      "transform: a step makes another size than its output() says: 1x4x2 u8, 4 numbers expected; liar", Error);
}

TEST_CASE("sizes and paddings have an upper limit") {
  const std::int64_t huge = std::int64_t{1} << 62;
  CHECK_THROWS_WITH_AS(random_crop({.size = 4, .padding = huge}),
                       "random_crop: size and padding may be 16384 at most: size 4x4, padding 4611686018427387904",
                       Error);
  CHECK_THROWS_AS(random_crop({.size = huge}), Error);
  CHECK_THROWS_AS(centre_crop({.size = huge}).output({8, 8, 3, true}), Error);
}
