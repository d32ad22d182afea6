// The CIFAR readers on files made by hand: layout, labels, folders, and every error.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <fstream>
#include <string>
#include <vector>

#include <core/temporary_folder.h>
#include <data/standard_error.h>
#include <tandem/core/error.h>
#include <tandem/data/catalog.h>
#include <tandem/data/cifar.h>

using namespace tandem;
using tandem::test::standard_error_of;
using tandem::test::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

// A record whose pixel (y, x) of channel c is (100 c + y + 2 x + shade) % 256.
std::string record(std::vector<int> labels, int shade) {
  std::string bytes;
  for (int label : labels) bytes += static_cast<char>(label);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < 32; ++y) {
      for (int x = 0; x < 32; ++x) bytes += static_cast<char>((100 * c + y + 2 * x + shade) % 256);
    }
  }
  return bytes;
}

void write(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

void write_cifar10(const fs::path& folder) {
  for (int i = 1; i <= 5; ++i) {
    write(folder / ("data_batch_" + std::to_string(i) + ".bin"), record({i}, i) + record({9 - i}, 10 * i));
  }
  write(folder / "test_batch.bin", record({7}, 3));
}

void write_cifar100(const fs::path& folder) {
  write(folder / "train.bin", record({4, 99}, 1) + record({19, 0}, 2));
  write(folder / "test.bin", record({0, 50}, 3));
}

std::string message_of(const fs::path& folder) {
  try {
    cifar10({.folder = folder});
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

// Sets TANDEM_DATA until the end of a test.
class DataHome {
 public:
  explicit DataHome(const fs::path& path) {
    if (const char* before = std::getenv("TANDEM_DATA")) before_ = before;
    ::setenv("TANDEM_DATA", path.c_str(), 1);
  }
  ~DataHome() {
    if (before_.empty()) {
      ::unsetenv("TANDEM_DATA");
    } else {
      ::setenv("TANDEM_DATA", before_.c_str(), 1);
    }
  }

 private:
  std::string before_;
};

}  // namespace

TEST_CASE("CIFAR-10 records become channels-last images in the order of the files") {
  const TemporaryFolder folder;
  write_cifar10(folder.path());
  const TrainTest set = cifar10({.folder = folder.path()});
  CHECK(set.train.name == "cifar10 train");
  CHECK(set.test.name == "cifar10 test");
  CHECK(set.train.images.shape() == Shape{10, 3, 32, 32});
  CHECK(set.train.images.is_channels_last());
  CHECK(set.train.images.dtype() == DType::u8);
  CHECK(set.test.size() == 1);
  CHECK(set.train.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 8, 2, 7, 3, 6, 4, 5, 5, 4});
  CHECK(set.train.images.at({0, 0, 0, 0}) == 1);
  CHECK(set.train.images.at({0, 2, 5, 7}) == 200 + 5 + 14 + 1);
  CHECK(set.train.images.at({9, 1, 31, 0}) == 100 + 31 + 50);
  CHECK(set.test.images.at({0, 1, 2, 3}) == 100 + 2 + 6 + 3);
  const std::uint8_t* memory = set.test.images.data<std::uint8_t>();
  CHECK(memory[1] == 103);  // green follows red
  CHECK(memory[3] == 5);    // then the next pixel
  CHECK(set.train.classes == cifar10_classes());
  CHECK(set.test.statistics.mean == set.train.statistics.mean);
  validate(set.train);
}

TEST_CASE("CIFAR-100 has fine and coarse labels") {
  const TemporaryFolder folder;
  write_cifar100(folder.path());
  const TrainTest fine = cifar100({.folder = folder.path()});
  CHECK(fine.train.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{99, 0});
  CHECK(fine.train.classes.size() == 100);
  CHECK(fine.train.classes[99] == "worm");
  const TrainTest coarse = cifar100({.folder = folder.path(), .coarse = true});
  CHECK(coarse.train.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{4, 19});
  CHECK(coarse.train.classes.size() == 20);
  CHECK(coarse.train.classes[4] == "fruit_and_vegetables");
  CHECK(identical(fine.train.images, coarse.train.images));
  CHECK(fine.test.images.at({0, 0, 0, 0}) == 3);
}

TEST_CASE("folders: given, the one above, and the default one") {
  const TemporaryFolder home;
  CHECK(!has_cifar10({.folder = home.path()}));
  write_cifar10(home / "cifar-10-batches-bin");
  CHECK(has_cifar10({.folder = home.path()}));
  CHECK(cifar10({.folder = home.path()}).train.size() == 10);
  CHECK(cifar10({.folder = home / "cifar-10-batches-bin"}).train.size() == 10);
  const DataHome scope(home.path());
  CHECK(data_home() == home.path());
  CHECK(has_cifar10());
  CHECK(!has_cifar100());
  CHECK(open_dataset("cifar10").train.size() == 10);
  CHECK_THROWS_WITH_AS(
      cifar100(),
      ("cifar100: data set not found: looked for the folder " + home.path().string() +
       "/cifar-100-binary; get it with `examples/get_data.sh cifar100`, or name its folder with --data")
          .c_str(),
      Error);
}

TEST_CASE("another number of records than the official one is a warning a set") {
  const TemporaryFolder folder;
  write_cifar10(folder.path());
  CHECK(standard_error_of([&] { cifar10({.folder = folder.path()}); }) ==
        "warning: cifar10: the train set in " + folder.path().string() +
            " has 10 records, the official one 50000\nwarning: cifar10: the test set in " + folder.path().string() +
            " has 1 records, the official one 10000\n");
}

TEST_CASE("missing folders and files are named, with the command that gets them") {
  const TemporaryFolder folder;
  CHECK(message_of(folder / "none") ==
        "cifar10: data set not found: looked for the folder " + folder.path().string() +
            "/none; get it with `examples/get_data.sh cifar10`, or name its folder with --data");
  write_cifar10(folder.path());
  fs::remove(folder / "data_batch_3.bin");
  CHECK(!has_cifar10({.folder = folder.path()}));
  CHECK(message_of(folder.path()) ==
        "cifar10: file is missing: looked for " + folder.path().string() +
            "/data_batch_3.bin; get it with `examples/get_data.sh cifar10`, or name its folder with --data");
}

TEST_CASE("truncated, empty and foreign files are refused with both sizes") {
  const TemporaryFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{3072}, std::size_t{6000}}) {
    write_cifar10(folder.path());
    write(folder / "data_batch_2.bin", std::string(size, '\1'));
    CHECK(message_of(folder.path()) ==
          "cifar10: file is truncated or not of this set: " + folder.path().string() +
              "/data_batch_2.bin: expected 30730000 bytes (10000 records of 3073) or another whole number of records, "
              "found " +
              std::to_string(size) +
              " bytes; get it with `examples/get_data.sh cifar10`, or name its folder with --data");
  }
}

TEST_CASE("a label out of range names file, record and value") {
  const TemporaryFolder folder;
  write_cifar10(folder.path());
  write(folder / "test_batch.bin", record({9}, 0) + record({10}, 0) + record({255}, 0));
  CHECK(message_of(folder.path()) == "cifar10: label out of range: " + folder.path().string() +
                                         "/test_batch.bin: record 1 has label 10, must be below 10");
  write_cifar100(folder.path());
  write(folder / "train.bin", record({3, 100}, 0));
  CHECK_THROWS_WITH_AS(cifar100({.folder = folder.path()}),
                       ("cifar100: label out of range: " + folder.path().string() +
                        "/train.bin: record 0 has label 100, must be below 100")
                           .c_str(),
                       Error);
  write(folder / "train.bin", record({20, 0}, 0));
  CHECK(cifar100({.folder = folder.path()}).train.size() == 1);
  CHECK_THROWS_AS(cifar100({.folder = folder.path(), .coarse = true}), Error);
}
