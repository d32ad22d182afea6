// random_resized_crop and resize: windows by their areas and proportions, torchvision's sizes, hand values, as text.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/data/transform.h>
#include <tandem/data/transform_text.h>

#include "data/small_sets.h"

using namespace tandem;
using tandem::test::counting_set;

namespace {

/// A picture [height, width, 2] whose bytes are its row and its column.
std::vector<std::uint8_t> places(std::int64_t height, std::int64_t width) {
  std::vector<std::uint8_t> bytes;
  for (std::int64_t i = 0; i < height; ++i)
    for (std::int64_t j = 0; j < width; ++j)
      for (const std::int64_t v : {i, j}) bytes.push_back(static_cast<std::uint8_t>(v));
  return bytes;
}

std::vector<double> apply(const Transform& transform, const std::vector<std::uint8_t>& bytes,
                          const PictureFormat& format, std::uint64_t key = 0) {
  Picture picture;
  const std::int64_t count = transform.output(format).count();
  std::vector<float> out(static_cast<std::size_t>(count));
  transform.apply(bytes.data(), format, Generator(1).split(key), picture, out.data(), count);
  std::vector<double> values;
  for (const float v : out) values.push_back(std::round(static_cast<double>(v) * 255));
  return values;
}

/// The window that a picture of places came from, as its corners say.
struct Box {
  double top, left, height, width;
};

Box box_of(const std::vector<double>& y, std::int64_t side) {
  const auto last = static_cast<std::size_t>(side * side - 1) * 2;
  // The corners of a window of h rows at n rows lie at top + (h / n - 1) / 2 and top + h - 1 - (h / n - 1) / 2.
  const auto size = [&](double first, double end) {
    return (end - first) * static_cast<double>(side) / static_cast<double>(side - 1);
  };
  return {y[0], y[1], size(y[0], y[last]), size(y[1], y[last + 1])};
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("random_resized_crop takes windows of the areas and proportions that it promises, anywhere") {
  constexpr std::int64_t kHeight = 200, kWidth = 160, kSide = 40;
  const std::vector<std::uint8_t> bytes = places(kHeight, kWidth);
  const Transform crop = random_resized_crop({.size = kSide, .least_area = 0.3, .most_area = 0.6});
  double least_area = 1, most_area = 0, least_ratio = 9, most_ratio = 0, mean_area = 0, highest = 200, lowest = 0;
  constexpr int kDraws = 400;
  for (std::uint64_t key = 0; key < kDraws; ++key) {
    const Box box = box_of(apply(crop, bytes, {kHeight, kWidth, 2, true}, key), kSide);
    const double area = box.height * box.width / (kHeight * kWidth), ratio = box.width / box.height;
    mean_area += area / kDraws;
    least_area = std::min(least_area, area), most_area = std::max(most_area, area);
    least_ratio = std::min(least_ratio, ratio), most_ratio = std::max(most_ratio, ratio);
    highest = std::min(highest, box.top), lowest = std::max(lowest, box.top + box.height);
  }
  // Corners are rounded to bytes, which is 2 % of the smallest window's side.
  CHECK(least_area >= 0.3 * 0.95);
  CHECK(least_area <= 0.33);
  CHECK(most_area <= 0.6 * 1.05);
  CHECK(most_area >= 0.57);
  CHECK(std::abs(mean_area - 0.45) < 0.02);
  CHECK(least_ratio >= 0.75 * 0.95);
  CHECK(least_ratio < 0.8);
  CHECK(most_ratio <= 4.0 / 3 * 1.05);
  CHECK(most_ratio > 1.25);
  CHECK(highest <= 3);
  CHECK(lowest >= kHeight - 4);
}

TEST_CASE("random_resized_crop of a picture that no window fits takes the largest in the middle") {
  // 10 x 100 with the whole area asked for: ratio 10 is beyond 4/3, so 10 rows and round(10 * 4/3) = 13 columns.
  const Transform wide = random_resized_crop({.size = {10, 13}, .least_area = 1});
  const std::vector<double> y = apply(wide, places(10, 100), {10, 100, 2, true});
  CHECK(y[0] == 0);
  CHECK(y[1] == 43);  // (100 - 13) / 2
  CHECK(y[y.size() - 2] == 9);
  CHECK(y[y.size() - 1] == 55);
  // 100 x 10: 10 columns and round(10 / 0.75) = 13 rows.
  const std::vector<double> tall =
      apply(random_resized_crop({.size = {13, 10}, .least_area = 1}), places(100, 10), {100, 10, 2, true});
  CHECK(tall[0] == 43);
  CHECK(tall[1] == 0);
  CHECK(tall[tall.size() - 2] == 55);
}

TEST_CASE("resize brings the shorter side to a length, the longer one rounded down as torchvision does") {
  const auto size_of = [](std::int64_t side, std::int64_t height, std::int64_t width) {
    const PictureFormat out = resize({.side = side}).output({height, width, 3, true});
    return Size2{out.height, out.width};
  };
  CHECK(size_of(256, 375, 500) == Size2{256, 341});
  CHECK(size_of(256, 500, 375) == Size2{341, 256});
  CHECK(size_of(256, 64, 64) == Size2{256, 256});
  CHECK(size_of(2, 3, 4) == Size2{2, 2});

  const std::vector<double> same = apply(resize({.side = 3}), places(3, 5), {3, 5, 2, true});
  for (std::size_t i = 0; i < same.size(); ++i) CHECK(same[i] == places(3, 5)[i]);
  const Transform crop = resize({.side = 8}) | centre_crop({.size = 8});
  CHECK(crop.output({30, 90, 3, true}).width == 8);
}

TEST_CASE("steps for pictures of any size: what they refuse, and as text") {
  CHECK(message_of([] { random_resized_crop({.size = 0}); }) ==
        "random_resized_crop: sides must be in [1, 16384]: 0x0");
  CHECK(message_of([] { random_resized_crop({.least_area = 0}); }) ==
        "random_resized_crop: the area must be a part of the image, the least first: 0 to 1 given");
  CHECK(message_of([] { random_resized_crop({.least_ratio = 2}); }) ==
        "random_resized_crop: the ratio of width to height must be positive, the least first: 2 to 1.3333333333333333 "
        "given");
  CHECK(message_of([] { resize({.side = 0}); }) == "resize: the side must be in [1, 16384]: 0 given");
  const Transform late = normalize({{0.5}, {0.5}}) | resize();
  CHECK(message_of([&] {
          late.output({4, 4, 1, true});
        }) == "resize: the image is no longer in bytes: 1x4x4 f32; put it before normalize");
  CHECK(message_of([] {
          resize({.side = 1000}).output({2, 100, 3, true});
        }) == "resize: the longer side may be 16384 at most: image 2x100, shorter side to 1000");

  const Dataset set = counting_set(4);
  const std::string text = "random_resized_crop(6x5, area=0.2/0.9, ratio=0.5/2) | resize(12) | centre_crop(4x4)";
  CHECK(parse_transform(text, set).describe() ==
        "random_resized_crop(6x5, area=0.2/0.9, ratio=0.5/2) | resize(12) | centre_crop(4x4)");
  CHECK(parse_transform("random_resized_crop", set).describe() ==
        "random_resized_crop(8x8, area=0.08/1, ratio=0.75/1.333)");
  CHECK(message_of([&] { parse_transform("random_resized_crop(area=0.5)", set); }) ==
        "transform: area and ratio of random_resized_crop are two numbers, the least and the most: 1 and 2 given; e.g. "
        "area=0.08/1");
}
