// Folders of images as data sets: layouts, order, splits, sizes, bad files.
#include <doctest/doctest.h>

#include <limits>
#include <set>

#include <core/temporary_folder.h>
#include <data/image_files.h>
#include <data/standard_error.h>
#include <tandem/data/catalog.h>
#include <tandem/data/image_folder.h>
#include <tandem/data/png.h>
#include <tandem/data/resize.h>

using namespace tandem;
using namespace tandem::test;

namespace {

namespace fs = std::filesystem;

// A picture of one colour, whose bytes are `shade`.
void write_shade(const fs::path& path, int shade, Size2 size = {4, 4}) {
  fs::create_directories(path.parent_path());
  write_png(path, Array::full({3, size.h, size.w}, shade, DType::u8));
}

// The first byte of every picture.
std::vector<int> shades(const Dataset& set) {
  std::vector<int> all;
  for (std::int64_t n = 0; n < set.size(); ++n) all.push_back(static_cast<int>(set.images.at({n, 0, 0, 0})));
  return all;
}

std::vector<std::int64_t> labels(const Dataset& set) { return set.labels.to_vector<std::int64_t>(); }

// b/{2,10}.png and a/{x.PNG,deep/y.png}: shades 1, 2, 3, 4 in the order of a data set.
void write_classes(const fs::path& folder) {
  write_shade(folder / "b" / "2.png", 4);
  write_shade(folder / "b" / "10.png", 3);
  write_shade(folder / "a" / "x.PNG", 1);
  write_shade(folder / "a" / "deep" / "y.png", 2);
}

template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace

TEST_CASE("subfolders are classes, in the order of their names") {
  const TemporaryFolder folder;
  write_classes(folder.path());
  const Dataset set = read_images(folder.path());
  validate(set);
  CHECK(set.name == folder.path().filename().string());
  CHECK(set.classes == std::vector<std::string>{"a", "b"});
  CHECK(shades(set) == std::vector<int>{1, 2, 3, 4});
  CHECK(labels(set) == std::vector<std::int64_t>{0, 0, 1, 1});
  CHECK(set.images.shape() == Shape{4, 3, 4, 4});
  CHECK(set.statistics.mean[0] == doctest::Approx(2.5 / 255));
}

TEST_CASE("train and val, or test, are the two sets; labels of both mean the same") {
  const TemporaryFolder folder;
  write_classes(folder / "train");
  write_shade(folder / "val" / "b" / "1.png", 9);
  write_shade(folder / "test" / "a" / "1.png", 8);
  TrainTest sets = read_image_folder(folder.path());
  CHECK(shades(sets.train) == std::vector<int>{1, 2, 3, 4});
  CHECK(shades(sets.test) == std::vector<int>{9});
  CHECK(labels(sets.test) == std::vector<std::int64_t>{1});
  CHECK(sets.test.classes == sets.train.classes);
  CHECK(sets.test.statistics.mean == sets.train.statistics.mean);
  CHECK(sets.test.name.ends_with(" test"));
  fs::remove_all(folder / "val");
  CHECK(shades(read_image_folder(folder.path()).test) == std::vector<int>{8});
  write_shade(folder / "test" / "c" / "1.png", 8);
  CHECK(error_of([&] { read_image_folder(folder.path()); }) ==
        (folder / "test").string() + ": a class of the test set is not in the training set: class \"c\" of " +
            (folder / "test" / "c" / "1.png").string());
  fs::remove_all(folder / "test");
  CHECK(error_of([&] { read_image_folder(folder.path()); }) ==
        folder.path().string() +
            ": there is a folder train, but neither val nor test: looked for both beside it; make one, or name the "
            "folder train itself, which is then split");
}

TEST_CASE("one folder is split by the seed, class by class") {
  const TemporaryFolder folder;
  for (int i = 0; i < 20; ++i) write_shade(folder / (i < 10 ? "a" : "b") / (std::to_string(i) + ".png"), i);
  const TrainTest sets = read_image_folder(folder.path(), {.test_fraction = 0.3, .seed = 5});
  CHECK(sets.train.size() == 14);
  CHECK(sets.test.size() == 6);
  CHECK(labels(sets.test) == std::vector<std::int64_t>{0, 0, 0, 1, 1, 1});
  std::set<int> all;
  for (const Dataset* set : {&sets.train, &sets.test})
    for (const int shade : shades(*set)) all.insert(shade);
  CHECK(all.size() == 20);
  CHECK(shades(read_image_folder(folder.path(), {.test_fraction = 0.3, .seed = 5, .workers = 1}).test) ==
        shades(sets.test));
  CHECK(shades(read_image_folder(folder.path(), {.test_fraction = 0.3, .seed = 6}).test) != shades(sets.test));
  CHECK_THROWS_AS(read_image_folder(folder.path(), {.test_fraction = 1}), Error);
  CHECK(error_of([&] { read_image_folder(folder.path(), {.test_fraction = 0.01}); }) ==
        folder.path().string() +
            ": the split leaves a set without an image: 20 images, test_fraction 0.01; take another fraction, or make "
            "folders train and val");
}

TEST_CASE("a folder without classes, and one that mixes") {
  const TemporaryFolder folder;
  write_shade(folder / "2.png", 2);
  write_shade(folder / "1.png", 1);
  write_shade(folder / ".hidden.png", 3);
  write_file(folder / "notes.txt", "no image");
  Dataset set;
  CHECK(standard_error_of([&] { set = read_images(folder.path()); }) ==
        "warning: " + folder.path().string() + ": 1 file left out, not named .jpg, .jpeg, .png or .bmp; the first is " +
            (folder / "notes.txt").string() + "\n");
  CHECK(shades(set) == std::vector<int>{1, 2});
  CHECK(set.classes == std::vector<std::string>{"all"});
  fs::remove(folder / "notes.txt");
  write_shade(folder / "a" / "1.png", 1);
  CHECK(error_of([&] { read_images(folder.path()); }) ==
        folder.path().string() + ": images lie beside folders of images: " + (folder / "1.png").string() + " and " +
            (folder / "a" / "1.png").string() +
            "; put every image into the folder of its class, or all into one folder");
}

TEST_CASE("missing and empty folders") {
  const TemporaryFolder folder;
  CHECK(error_of([&] { read_images(folder / "none"); }) == "image folder: folder not found: looked for " +
                                                               (folder / "none").string() +
                                                               "; name the folder with the images");
  CHECK(
      error_of([&] { read_images(folder.path()); }) ==
      folder.path().string() +
          ": the folder holds no image: looked for .jpg, .jpeg, .png and .bmp files; name the folder with the images");
  write_shade(folder / "a" / "1.png", 1);
  fs::create_directory(folder / "b");
  CHECK(error_of([&] { read_images(folder.path()); }) ==
        folder.path().string() + ": the folder of a class holds no image: " + (folder / "b").string() +
            "; take it away, or put .jpg, .jpeg, .png or .bmp files into it");
}

TEST_CASE("a link that leads back is an error, not an endless walk") {
  const TemporaryFolder folder;
  write_shade(folder / "a" / "1.png", 1);
  fs::create_directory_symlink(folder / "a", folder / "a" / "again");
  CHECK(error_of([&] { read_images(folder.path()); }).find("folders lie too deep in each other: at most 32") !=
        std::string::npos);
}

TEST_CASE("sizes: one for all, or what is asked for") {
  const TemporaryFolder folder;
  write_shade(folder / "1.png", 10, {6, 8});
  write_shade(folder / "2.png", 20, {9, 5});
  CHECK(error_of([&] { read_images(folder.path()); }) ==
        (folder / "2.png").string() +
            ": the image has another size than the first of the set: expected 6x8, found 9x5 (height x width); give "
            "the size that all are brought to (programs: --size)");
  for (const Fit fit : {Fit::cover, Fit::stretch, Fit::crop}) {
    for (const Window window : {Window::centre, Window::random}) {
      const Dataset set = read_images(folder.path(), {.size = 5, .fit = fit, .window = window});
      CHECK(set.images.shape() == Shape{2, 3, 5, 5});
      CHECK(shades(set) == std::vector<int>{10, 20});
    }
  }
  CHECK(error_of([&] { read_images(folder.path(), {.size = 6, .fit = Fit::crop}); }) ==
        (folder / "2.png").string() +
            ": the image is smaller than the window: expected at least 6x6, found 9x5 (height x width); let it be "
            "resized (Fit::cover), or take a smaller window");
  CHECK_THROWS_AS(read_images(folder.path(), {.size = {-1, 4}}), Error);
  for (const std::int64_t side : {std::int64_t{16385}, std::int64_t{3037000500}, std::int64_t{1} << 32,
                                  std::numeric_limits<std::int64_t>::max()}) {
    const std::string message = "image folder: sides of pictures may be 16384 at most: " + to_string(Size2(side)) +
                                "; take a smaller size (programs: --size)";
    CHECK(error_of([&] { read_images(folder.path(), {.size = side}); }) == message);
    CHECK(error_of([&] { read_image_folder(folder.path(), {.size = side}); }) == message);
  }
}

TEST_CASE("windows: the middle one is that of cover(); random ones depend on the seed alone") {
  const TemporaryFolder folder;
  const Array image = read_image(golden_image("resize.png"));
  for (int i = 0; i < 4; ++i) write_png(folder / (std::to_string(i) + ".png"), image);
  const auto read = [&](const ImageFolderOptions& options) { return read_images(folder.path(), options).images; };
  CHECK(identical(read({.size = 20}).slice(0, 2, 3), cover(image, 20)));
  CHECK(identical(read({.size = {10, 40}}).slice(0, 0, 1), cover(image, {10, 40})));
  CHECK(identical(read({.size = {20, 30}, .fit = Fit::stretch}).slice(0, 0, 1), resize_images(image, {20, 30})));
  const ImageFolderOptions random{.size = 30, .fit = Fit::crop, .window = Window::random, .seed = 3};
  const Array windows = read(random);
  CHECK(!identical(windows.slice(0, 0, 1), windows.slice(0, 1, 2)));
  ImageFolderOptions other = random;
  other.workers = 1;
  CHECK(identical(read(other), windows));
  other.seed = 4;
  CHECK(!identical(read(other), windows));
}

TEST_CASE("bad files are refused, the first of the order first, or left out with a count") {
  const TemporaryFolder folder;
  for (int i = 0; i < 30; ++i) write_shade(folder / (i < 9 ? "a" : "b") / (std::to_string(100 + i) + ".png"), i);
  write_file(folder / "a" / "000.png", "text");
  write_file(folder / "a" / "107.png", "");
  write_file(folder / "b" / "120.png", read_file(golden_image("rgb.png")).substr(0, 300));
  const std::string first =
      (folder / "a" / "000.png").string() +
      ": is not a JPEG, PNG or BMP file: expected ff d8 ff, "
      "89 50 4e 47 0d 0a 1a 0a or 42 4d at its beginning, found 74 65 78 74 (text); convert it to "
      "one of them, or take it away";
  for (const int workers : {1, 4}) {
    CHECK(error_of([&] { read_images(folder.path(), {.workers = workers}); }) == first);
    CHECK(error_of([&] { read_images(folder.path(), {.size = 4, .workers = workers}); }) == first);
    Dataset set;
    CHECK(standard_error_of(
              [&] { set = read_images(folder.path(), {.bad_files = BadFiles::skip, .workers = workers}); }) ==
          "warning: " + folder.path().filename().string() + ": 3 of 31 images left out; the first: " + first + "\n");
    validate(set);
    CHECK(set.size() == 28);
    std::vector<int> expected;
    for (int i = 0; i < 30; ++i)
      if (i != 7 && i != 20) expected.push_back(i);
    CHECK(shades(set) == expected);
    CHECK(labels(set)[7] == 0);
    CHECK(labels(set)[8] == 1);
  }
}

TEST_CASE("nothing but bad files") {
  const TemporaryFolder folder;
  write_file(folder / "1.png", "text");
  const std::string message = error_of([&] { read_images(folder.path(), {.bad_files = BadFiles::skip}); });
  CHECK(message.find("none of the images can be read: 1 files; " + (folder / "1.png").string()) != std::string::npos);
  CHECK(error_of([&] { read_images(folder.path(), {.size = 4, .bad_files = BadFiles::skip}); }) == message);
}

TEST_CASE("the catalog opens folders") {
  const TemporaryFolder folder;
  write_classes(folder / "train");
  write_shade(folder / "val" / "b" / "1.png", 9, {8, 8});
  CHECK_THROWS_WITH_AS(open_dataset("folder"),
                       "data set \"folder\": the folder with the images is not given; give it with --data", UsageError);
  CHECK_THROWS_AS(open_dataset("folder", {.folder = folder.path()}), Error);
  CHECK(open_dataset("folder", {.folder = folder.path(), .size = 2}).test.images.shape() == Shape{1, 3, 2, 2});
  write_file(folder / "val" / "b" / "2.png", "text");
  Dataset test;
  standard_error_of(
      [&] { test = open_dataset("folder", {.folder = folder.path(), .size = 2, .skip_bad_files = true}).test; });
  CHECK(test.size() == 1);
}
