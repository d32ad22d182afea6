// Writing PNG files and grids: hand values, what is read back, errors.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <core/temporary_folder.h>
#include <data/image_files.h>
#include <data/small_sets.h>
#include <tandem/data/image.h>
#include <tandem/data/png.h>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("floats become the nearest byte, and stay in [0, 255]") {
  const Array x = Array::from({0, 1, 0.5, -3, 7, 0.1, 1 / 255.0, 0.9 / 255}, {2, 4});
  const std::vector<std::uint8_t> expected{0, 255, 128, 0, 255, 26, 1, 1};
  for (const DType dtype : {DType::f32, DType::f64}) CHECK(to_bytes(x.to(dtype)).to_vector<std::uint8_t>() == expected);
  CHECK(to_bytes(Array::full({1}, 1, DType::bf16)).item() == 255);
  const Array images = Array::zeros({1, 3, 2, 2}, DType::f32, Layout::channels_last);
  CHECK(to_bytes(images).is_channels_last());
  const Array bytes = to_bytes(images);
  CHECK(to_bytes(bytes).storage() == bytes.storage());
  CHECK_THROWS_WITH_AS(to_bytes(Array::full({1, 3}, std::numeric_limits<double>::quiet_NaN())),
                       "to_bytes: a value is not a number: element 0 of 3", Error);
  CHECK_THROWS_WITH_AS(to_bytes(Array::zeros({2}, DType::i64)), "to_bytes: images must be u8, f32, bf16 or f64: i64",
                       Error);
}

TEST_CASE("a written picture is read back as it was") {
  const TemporaryFolder folder;
  const Array images = counting_set(1, 3, 9).images;
  write_png(folder / "a.png", images);
  CHECK(identical(read_image(folder / "a.png"), images));
  CHECK(folder.count() == 1);  // no temporary file stays
  const std::string file = encode_png(images);
  CHECK(file == read_file(folder / "a.png"));
  CHECK(file == encode_png(images.contiguous().reshape({3, 9, 9})));  // any layout, with and without N
  const Array grey = counting_set(1, 1, 7).images;
  CHECK(identical(decode_image(encode_png(grey), "a.png"), grey.expand({1, 3, 7, 7}).to_layout(Layout::channels_last)));
  CHECK_THROWS_WITH_AS(encode_png(Array::zeros({2, 3, 4, 4})),
                       "encode_png: image must be [C, H, W] or [1, C, H, W] with C = 1 or 3 and not empty: "
                       "[2, 3, 4, 4]; image_grid makes one of many",
                       Error);
  CHECK_THROWS_AS(encode_png(Array::zeros({2, 4, 4})), Error);
  CHECK_THROWS_AS(encode_png(Array()), Error);
  CHECK_THROWS_AS(write_png(folder / "none" / "a.png", images), Error);
}

TEST_CASE("a grid by hand") {
  Array images = Array::empty({3, 1, 1, 2}, DType::u8);
  for (int n = 0; n < 3; ++n) {
    images.set({n, 0, 0, 0}, 10 * n + 1);
    images.set({n, 0, 0, 1}, 10 * n + 2);
  }
  const Array grid = image_grid(images, {.columns = 2, .gap = 1, .background = 99});
  CHECK(grid.shape() == Shape{1, 1, 3, 5});
  CHECK(grid.to_vector<std::uint8_t>() == std::vector<std::uint8_t>{1, 2, 99, 11, 12,    //
                                                                    99, 99, 99, 99, 99,  //
                                                                    21, 22, 99, 99, 99});
  CHECK(image_grid(images, {.columns = 8, .gap = 0}).to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{1, 2, 11, 12, 21, 22});
  const Array large = image_grid(images, {.columns = 3, .gap = 0, .scale = 2});
  CHECK(large.shape() == Shape{1, 1, 2, 12});
  CHECK(large.to_vector<std::uint8_t>() == std::vector<std::uint8_t>{1, 1, 2, 2, 11, 11, 12, 12, 21, 21, 22, 22,  //
                                                                     1, 1, 2, 2, 11, 11, 12, 12, 21, 21, 22, 22});
}

TEST_CASE("a grid of one image is the image, whatever its layout and type") {
  const Array image = counting_set(1, 3, 5).images;
  CHECK(identical(image_grid(image), image));
  CHECK(identical(image_grid(image.contiguous()), image));
  Array floats = image.to(DType::f32);
  for (std::int64_t i = 0; i < floats.size(); ++i) floats.data<float>()[i] /= 255;
  CHECK(identical(image_grid(floats), image));
}

TEST_CASE("rows of images under each other, shorter ones filled up") {
  const Array two = Array::full({2, 1, 1, 1}, 5, DType::u8), one = Array::full({1, 1, 1, 1}, 1);  // floats: 255
  const Array sheet = image_rows({two, one}, {.gap = 1, .background = 7});
  CHECK(sheet.shape() == Shape{1, 1, 3, 3});
  CHECK(sheet.to_vector<std::uint8_t>() == std::vector<std::uint8_t>{5, 7, 5, 7, 7, 7, 255, 7, 7});
  CHECK_THROWS_WITH_AS(image_rows({}), "image_rows: needs at least one row", Error);
  CHECK_THROWS_WITH_AS(image_rows({two, Array::zeros({1, 1, 1, 2})}),
                       "image_rows: rows must hold images of one shape: [2, 1, 1, 1] and [1, 1, 1, 2]", Error);
}

TEST_CASE("a grid refuses what is no image and options out of range") {
  CHECK_THROWS_WITH_AS(image_grid(Array::zeros({2, 2, 4, 4})),
                       "image_grid: images must be [N, C, H, W] with C = 1 or 3 and not empty: [2, 2, 4, 4]", Error);
  CHECK_THROWS_AS(image_grid(Array::zeros({0, 3, 4, 4})), Error);
  CHECK_THROWS_WITH_AS(image_grid(Array::zeros({2, 3, 4, 4}), {.columns = 0}),
                       "image_grid: columns and scale must be positive, gap not negative, gap and scale at most 4096: "
                       "columns 0, gap 2, scale 1",
                       Error);
}
