// Pictures read when a batch wants them: folders of files of many sizes through a Loader, the same bits for every
// number of workers and after a resume, bad files, and a Dataset behind the same door.
#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>
#include <tandem/data/image_file_source.h>
#include <tandem/data/loader.h>
#include <tandem/data/png.h>

#include "core/temporary_folder.h"
#include "data/small_sets.h"
#include "data/standard_error.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// A picture of one colour, so that every window of it, at every size, has that colour.
void write_plain(const std::filesystem::path& path, Size2 size, int byte) {
  std::filesystem::create_directories(path.parent_path());
  write_png(path, Array::full({3, size.h, size.w}, byte / 255.0));
}

/// Ten training and four test pictures in two classes, no two of the same size; picture i has the byte 10 i.
void write_many_sizes(const std::filesystem::path& folder) {
  for (int i = 0; i < 14; ++i) {
    const std::string name = std::string(i % 2 == 0 ? "cat" : "dog") + "/" + (i < 10 ? "0" : "") + std::to_string(i);
    write_plain(folder / (i < 10 ? "train" : "val") / (name + ".png"), {20 + 3 * i, 50 - 2 * i}, 10 * i);
  }
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

Transform evaluation() { return resize({.side = 20}) | centre_crop({.size = 16}) | to_unit(); }

/// All values of all batches of one epoch.
std::vector<float> epoch_of(Loader& loader) {
  std::vector<float> all;
  for (const auto& [images, labels] : loader) {
    for (const float v : images.to_vector<float>()) all.push_back(v);
    for (const std::int64_t label : labels.to_vector<std::int64_t>()) all.push_back(static_cast<float>(label));
  }
  return all;
}

}  // namespace

TEST_CASE("image files: a folder of pictures of many sizes comes as batches of one size") {
  const TemporaryFolder folder;
  write_many_sizes(folder / "set");
  const TrainTestFiles set = list_image_folder(folder / "set");
  CHECK(set.train->size() == 10);
  CHECK(set.test->size() == 4);
  CHECK(set.train->name() == "set train");
  CHECK(set.train->classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(set.test->classes() == set.train->classes());

  Loader loader(set.test, {.batch = 3, .shuffle = false, .transform = evaluation()});
  CHECK(loader.batches() == 2);
  const Batch batch = *loader.next();  // classes first: 10 and 12 are cats, 11 a dog
  CHECK(batch.images.shape() == Shape{3, 3, 16, 16});
  CHECK(batch.images.is_channels_last());
  CHECK(batch.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 0, 1});
  CHECK(batch.images.at({0, 0, 0, 0}) == doctest::Approx(100 / 255.0));
  CHECK(batch.images.at({1, 2, 15, 15}) == doctest::Approx(120 / 255.0));
  CHECK(batch.images.at({2, 1, 7, 9}) == doctest::Approx(110 / 255.0));
}

TEST_CASE("image files: an epoch has the same bits for every number of workers, and where a loop goes on") {
  const TemporaryFolder folder;
  for (int i = 0; i < 9; ++i) {
    Generator random(static_cast<std::uint64_t>(i));
    Array image = Array::empty({3, 17 + 5 * i, 60 - 4 * i});
    random.fill_uniform(image);
    std::filesystem::create_directories(folder / "set" / "all");
    write_png(folder / "set" / "all" / (std::to_string(i) + ".png"), image);
  }
  const TrainTestFiles set = list_image_folder(folder / "set", {.test_fraction = 0.2, .seed = 3});
  CHECK(set.train->size() == 7);
  const Transform transform =
      random_resized_crop({.size = {12, 10}}) | random_flip() | normalize(imagenet_statistics());
  const auto loader_of = [&](int workers) {
    return Loader(set.train, {.batch = 2, .seed = 5, .workers = workers, .transform = transform});
  };
  Loader alone = loader_of(0), two = loader_of(2);
  const std::vector<float> first = epoch_of(alone), second = epoch_of(alone);
  CHECK(first != second);
  CHECK(epoch_of(two) == first);
  CHECK(epoch_of(two) == second);
  Loader resumed = loader_of(1);
  resumed.set_position(alone.batches());
  CHECK(epoch_of(resumed) == second);
}

TEST_CASE("image files: what cannot be read is an error of its batch, or is left out before the first") {
  const TemporaryFolder folder;
  write_many_sizes(folder / "set");
  const std::string bad = (folder / "set" / "train" / "cat" / "04x.png").string();
  write_file(bad, "text");
  const TrainTestFiles refused = list_image_folder(folder / "set");
  Loader loader(refused.train, {.batch = 2, .shuffle = false, .workers = 1, .transform = evaluation()});
  CHECK(loader.next()->labels.size() == 2);  // 00 and 02
  CHECK(message_of([&] { loader.next(); }).starts_with(bad + ": is not a JPEG, PNG or BMP file"));

  TrainTestFiles kept;
  const std::string said =
      standard_error_of([&] { kept = list_image_folder(folder / "set", {.bad_files = BadFiles::skip}); });
  CHECK(said.find("set train: 1 of 11 images left out; the first: " + bad) != std::string::npos);
  CHECK(kept.train->size() == 10);
  CHECK(checksum(*kept.train) != checksum(*refused.train));
  CHECK(checksum(*kept.train) == checksum(*list_image_folder(folder / "set", {.bad_files = BadFiles::skip}).train));

  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "set" / "val"))
    if (entry.is_regular_file()) write_file(entry.path(), "text");
  CHECK(message_of([&] {
          list_image_folder(folder / "set", {.bad_files = BadFiles::skip});
        }).starts_with("set test: none of the images can be read: 4 files; "));
  CHECK(message_of([&] { list_image_folder(folder / "set", {.workers = 5000}); }) ==
        "image files: workers must be in [0, 1024]: 5000 given");
  CHECK(message_of([&] { ImageFileSource("mine", {}, {"a"}); }) == "mine: there are no image files");
  CHECK(message_of([&] {
          ImageFileSource("mine", {{"x.png", 2}}, {"a"});
        }) == "x.png: the label names no class: label 2, 1 classes");
}

TEST_CASE("image files: pictures that the transform leaves at different sizes are refused") {
  const TemporaryFolder folder;
  write_many_sizes(folder / "set");
  const TrainTestFiles set = list_image_folder(folder / "set");
  Loader loader(set.train, {.batch = 2, .shuffle = false, .workers = 0, .transform = resize({.side = 8})});
  CHECK(message_of([&] { loader.next(); }) ==
        "loader: the transform leaves images of different sizes: 3x8x20 f32 and 3x8x14 f32, made of 3x20x50 u8 and "
        "3x26x46 u8; bring them to one: random_resized_crop, or resize and centre_crop");
  CHECK(message_of([&] { static_cast<void>(loader.dataset()); }) ==
        "loader: the pictures of \"set train\" are not held in memory; ask for source()");
  CHECK(message_of([] { Loader(std::shared_ptr<const ImageSource>()); }) == "loader: there is no source of images");
}

TEST_CASE("a Dataset is a source of pictures too") {
  const Dataset set = counting_set(6);
  Loader direct(set, {.batch = 4, .seed = 1, .workers = 0});
  Loader behind(source_of(set), {.batch = 4, .seed = 1, .workers = 0});
  CHECK(epoch_of(direct) == epoch_of(behind));
  CHECK(direct.source()->size() == 6);
  CHECK(direct.source()->name() == "counting");
  CHECK(direct.dataset().size() == 6);
}
