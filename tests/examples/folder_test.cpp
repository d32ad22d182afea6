// Programs on a folder of images of the user's: trained on, with nothing said but where it lies, and what is said of a
// bad file.
#include <doctest/doctest.h>

#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>
#include <tandem/data/png.h>

#include "core/temporary_folder.h"
#include "examples/child_process.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// Noise of a size that no image of the set has.
void write_noise(const std::filesystem::path& path, std::uint64_t seed) {
  std::filesystem::create_directories(path.parent_path());
  Generator random(seed);
  Array image = Array::empty({3, 20, 26});
  random.fill_uniform(image);
  write_png(path, image);
}

Finished run(const std::string& program, const TemporaryFolder& folder, const std::string& out,
             std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--data", (folder / "data").string(), "--steps", "2", "--batch", "4",
                                     "--optimizer", "sgd(lr=0.01)", "--out", (folder / out).string()});
  return run_child(program, arguments);
}

}  // namespace

TEST_CASE("programs train on a folder of images; a bad file is refused or left out as the user says") {
  const TemporaryFolder folder;
  for (std::uint64_t i = 0; i < 12; ++i) {
    write_noise(
        folder / "data" / (i < 8 ? "train" : "val") / (i % 2 == 0 ? "cat" : "dog") / (std::to_string(i) + ".png"), i);
  }
  const std::vector<std::string> programs = {"cifar", "autoencoder", "vae"};
  for (const std::string& program : programs) {
    INFO(program);
    const Finished good = run(program, folder, "good-" + program, {"--size", "16"});
    INFO(good.error);
    CHECK(good.code == 0);
    CHECK(good.output.find("folder: 8 training and 4 test images 3x16x16 in 2 classes (data)") != std::string::npos);
    CHECK(read_file(folder / ("good-" + program) / "report.html").find("in 2 classes (data)") != std::string::npos);
  }
  const std::string bad = (folder / "data" / "train" / "dog" / "9.png").string();
  write_file(bad, "text");
  for (const std::string& program : programs) {
    INFO(program);
    const Finished refused = run(program, folder, "refused", {"--dataset", "folder", "--size", "16"});
    CHECK(refused.code == 1);
    CHECK(refused.last_error_line().find(bad + ": is not a JPEG, PNG or BMP file") != std::string::npos);
    CHECK(!std::filesystem::exists(folder / "refused"));

    const Finished skipped = run(program, folder, "skipped-" + program, {"--size", "16", "--skip-bad-files"});
    CHECK(skipped.code == 0);
    CHECK(skipped.error.find("data train: 1 of 9 images left out; the first: " + bad) != std::string::npos);
  }
}
