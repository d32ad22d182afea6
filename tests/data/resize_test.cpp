// Resizing and windows: hand values, Pillow's values away from the border, the smallest and the longest images.
#include <doctest/doctest.h>

#include <data/image_files.h>
#include <data/small_sets.h>
#include <tandem/core/error.h>
#include <tandem/data/image.h>
#include <tandem/data/resize.h>

using namespace tandem;
using namespace tandem::test;

namespace {

std::string message_of(auto&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

Array row(const std::vector<std::uint8_t>& values) {
  return Array::from(values, {1, 1, 1, static_cast<std::int64_t>(values.size())});
}

}  // namespace

TEST_CASE("bilinear by hand: a row grows to twice its length") {
  // centres of the new pixels lie at 1/4 and 3/4 of the old ones; beyond the border is the border
  CHECK(resize_images(row({0, 100, 200}), {1, 6}).to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{0, 25, 75, 125, 175, 200});
}

TEST_CASE("half the length: the widened triangle, weights 1 3 3 1 over eight") {
  const Array halved = resize_images(row({0, 0, 80, 160, 80, 0, 0, 0}), {1, 4});
  CHECK(halved.to_vector<std::uint8_t>() == std::vector<std::uint8_t>{10, 100, 50, 0});
}

TEST_CASE("equal images stay equal, and the same size is the same memory") {
  const Array grey = Array::full({2, 3, 7, 5}, 93, DType::u8).to_layout(Layout::channels_last);
  CHECK(resize_images(grey, {7, 5}).storage() == grey.storage());
  for (const Size2 size : {Size2{3, 3}, Size2{64, 64}, Size2{1, 50}}) {
    const Array other = resize_images(grey, size);
    CHECK(other.shape() == Shape{2, 3, size.h, size.w});
    CHECK(other.is_channels_last());
    CHECK(largest_difference(other, Array::full(other.shape(), 93, DType::u8)) == 0);
  }
}

TEST_CASE("Pillow's bilinear filter gives the same, away from the border") {
  // At the border Pillow leaves out what lies beyond it, where here the border goes on.
  const Array image = read_image(golden_image("resize.png"));
  for (const Size2 size : {Size2{16, 24}, Size2{29, 37}}) {
    CAPTURE(to_string(size));
    const Array expected = golden_pixels("resize_" + std::to_string(size.w) + "x" + std::to_string(size.h) + ".ppm");
    const Array found = resize_images(image, size);
    REQUIRE(found.shape() == expected.shape());
    const Size2 inner{size.h - 2, size.w - 2};
    CHECK(largest_difference(centre_crop(found, inner), centre_crop(expected, inner)) <= 1);
  }
}

TEST_CASE("windows by hand") {
  const Array image = row({1, 2, 3, 4, 5, 6});
  CHECK(centre_crop(image, {1, 3}).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{2, 3, 4});
  CHECK(centre_crop(image, {1, 6}).storage() == image.storage());
  CHECK(cover(image, {1, 1}).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{3});
  CHECK(cover(row({10, 20, 200, 100, 90, 80}), {1, 2}).to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{200, 100});
  const Array set = counting_set(2, 3, 8).images;
  CHECK(cover(set, {4, 8}).shape() == Shape{2, 3, 4, 8});
  CHECK(identical(cover(set, {4, 8}), centre_crop(set, {4, 8}).to_layout(Layout::channels_last)));
}

TEST_CASE("long and small images reach any size") {
  for (const Size2 from : {Size2{1, 20000}, Size2{20000, 1}, Size2{1, 1}, Size2{2, 3}}) {
    CAPTURE(to_string(from));
    const Array image = Array::full({1, 3, from.h, from.w}, 200, DType::u8);
    for (const Size2 size : {Size2{64, 64}, Size2{1, 1}, Size2{1, 300}}) {
      CHECK(resize_images(image, size).at({0, 2, 0, 0}) == 200);
      CHECK(cover(image, size).shape() == Shape{1, 3, size.h, size.w});
    }
  }
}

TEST_CASE("errors name the sizes") {
  const Array image = Array::zeros({1, 3, 4, 5}, DType::u8);
  CHECK_THROWS_WITH_AS(centre_crop(image, {5, 5}),
                       "centre_crop: the window is larger than the images: images 4x5, window 5x5", Error);
  CHECK_THROWS_WITH_AS(resize_images(image, {0, 5}), "resize_images: size must be positive and at most 2^24: 0x5",
                       Error);
  CHECK_THROWS_AS(resize_images(Array::zeros({1, 3, 4, 5}), {2, 2}), Error);
  CHECK_THROWS_AS(cover(Array::zeros({3, 4, 5}, DType::u8), {2, 2}), Error);
}

TEST_CASE("sizes on which stb_image_resize's own assertions fail are resized") {
  for (const auto& [from, to] : {std::pair{7, 5}, {9, 7}, {11, 9}, {14, 10}, {41, 32}, {64, 45}, {64, 49}}) {
    const Array grey = Array::full({1, 3, from, from}, 93, DType::u8).to_layout(Layout::channels_last);
    CHECK(largest_difference(resize_images(grey, to), Array::full({1, 3, to, to}, 93, DType::u8)) == 0);
  }
}

TEST_CASE("steps whose buffers pass 32 bits are refused, long ones below that are taken") {
  const auto message = [](const Shape& shape, Size2 size) {
    return message_of([&] { resize_images(Array::zeros(shape, DType::u8, Layout::channels_last), size); });
  };
  CHECK(message({1, 64, 4095, 1}, {2, 4096}) ==
        "resize_images: too large a step: 4095x1 to 2x4096 pixels, 64 channels; take two steps, the first to a size in "
        "between");
  CHECK(message({1, 3, 65540, 1}, {2, 5461}).starts_with("resize_images: too large a step"));
  CHECK(resize_images(Array::full({1, 3, 16384, 3}, 7, DType::u8), {1, 1}).to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{7, 7, 7});
}
