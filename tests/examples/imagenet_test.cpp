// imagenet on a folder of noise of many sizes, as a child process: what is printed and written, evaluated and
// predicted; the cost of the whole set by hand.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>
#include <tandem/core/io/safetensors.h>
#include <tandem/data/png.h>

#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/imagenet/cost.h"

using namespace tandem;
using namespace tandem::test;

namespace {

void write_pictures(const std::filesystem::path& folder) {
  for (int i = 0; i < 30; ++i) {
    Generator random(static_cast<std::uint64_t>(i));
    Array image = Array::empty({3, 30 + i % 11, 50 - i});
    random.fill_uniform(image);
    const std::filesystem::path path =
        folder / (i < 18 ? "train" : "val") / ("class" + std::to_string(i % 6)) / (std::to_string(i) + ".png");
    std::filesystem::create_directories(path.parent_path());
    write_png(path, image);
  }
}

std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out) {
  return {"--data",       (folder / "data").string(),
          "--out",        (folder / out).string(),
          "--crop",       "32",
          "--resize",     "36",
          "--width",      "4",
          "--epochs",     "2",
          "--batch",      "3",
          "--accumulate", "3",
          "--optimizer",  "lookahead(momentum(lr=0.1, momentum=0.9), k=2, alpha=0.5)"};
}

}  // namespace

TEST_CASE("imagenet: trains on pictures of many sizes, evaluates, predicts, says what the whole would cost") {
  const TemporaryFolder folder;
  write_pictures(folder / "data");
  const Finished finished = run_child("imagenet", command(folder, "run"));
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(finished.output.rfind(
            "data       folder: 18 training and 12 test images of any size in 6 classes (data train)\n", 0) == 0);
  CHECK(finished.output.find("model      resnet50: ") != std::string::npos);
  CHECK(finished.output.find("60 epochs of its 1,281,167 images would take ") != std::string::npos);
  CHECK(finished.output.find("at 224x224 a picture has ") != std::string::npos);
  const auto summary = nlohmann::json::parse(read_file(folder / "run/summary.json"));
  REQUIRE(summary["runs"].size() == 1);
  CHECK(summary["runs"][0]["steps"] == 4);  // 18 pictures in steps of 9, twice
  for (const char* metric : {"train_loss", "test_loss", "test_accuracy", "test_top5_accuracy"})
    CHECK(summary["runs"][0]["final"][metric].is_number());
  const std::string run = summary["runs"][0]["run"].get<std::string>();
  const Safetensors model = load_safetensors(folder / "run" / run / "model.safetensors");
  CHECK(model.find("layer1.0.downsample.0.weight") != nullptr);
  CHECK(model.metadata.at("resize") == "36");

  SUBCASE("--evaluate finds what the run found") {
    const Finished evaluated = run_child(
        "imagenet", {"--data", (folder / "data").string(), "--evaluate", (folder / "run").string(), "--json"});
    INFO(evaluated.error);
    REQUIRE(evaluated.code == 0);
    const auto json = nlohmann::json::parse(evaluated.output);
    CHECK(json[run]["test_accuracy"] == summary["runs"][0]["final"]["test_accuracy"]);
    CHECK(json[run]["test_loss"].get<double>() ==
          doctest::Approx(summary["runs"][0]["final"]["test_loss"].get<double>()).epsilon(1e-5));
  }
  SUBCASE("--predict names classes of a picture of any size") {
    const Finished predicted = run_child("imagenet", {"--predict", (folder / "data/val/class1/25.png").string(),
                                                      "--init", (folder / "run" / run / "model.safetensors").string()});
    INFO(predicted.error);
    REQUIRE(predicted.code == 0);
    CHECK(predicted.output.find("25.png  class") != std::string::npos);
  }
  SUBCASE("the same again in two halves gives the same weights") {
    std::vector<std::string> arguments = command(folder, "half");
    arguments.insert(arguments.end(), {"--steps", "2", "--schedule", "constant"});
    REQUIRE(run_child("imagenet", arguments).code == 0);
    REQUIRE(run_child("imagenet", {"--resume", (folder / "half").string(), "--steps", "4"}).code == 0);
    std::vector<std::string> whole = command(folder, "whole");
    whole.insert(whole.end(), {"--steps", "4", "--schedule", "constant", "--workers", "0"});
    REQUIRE(run_child("imagenet", whole).code == 0);
    const Safetensors a = load_safetensors(folder / "half" / run / "model.safetensors"),
                      b = load_safetensors(folder / "whole" / run / "model.safetensors");
    REQUIRE(a.arrays.size() == b.arrays.size());
    for (std::size_t i = 0; i < a.arrays.size(); ++i) {
      CAPTURE(a.arrays[i].name);
      CHECK(a.arrays[i].array.to_vector<double>() == b.arrays[i].array.to_vector<double>());
    }
  }
}

TEST_CASE("imagenet: pictures in memory, and what is refused") {
  const TemporaryFolder folder;
  const Finished finished =
      run_child("imagenet", {"--dataset", "solids", "--crop", "32", "--resize", "32", "--width", "2", "--steps", "1",
                             "--batch", "8", "--accumulate", "1", "--optimizer", "sgd(lr=0.01)", "--quiet", "--out",
                             (folder / "run").string()});
  INFO(finished.error);
  CHECK(finished.code == 0);
  CHECK(finished.output.find("solids: 6,000 training") != std::string::npos);
  const auto refused = [&](const std::vector<std::string>& more, int code, const std::string& words) {
    const Finished ended = run_child("imagenet", more);
    INFO(ended.error);
    CHECK(ended.code == code);
    CHECK(ended.last_error_line().find(words) != std::string::npos);
  };
  refused({"--crop", "224", "--resize", "100"}, 2, "--resize: is 100, must be at least --crop, 224");
  write_pictures(folder / "data");
  refused({"--data", (folder / "data").string(), "--size", "32"}, 2, "--size: pictures are read as large as they are");
  refused({"--model", "resnet20", "--width", "8"}, 2, "--width: is of resnet50 alone");
  refused({"--dataset", "folder"}, 2, "the folder with the images is not given");
  refused({"--data", "/nonexistent-pictures"}, 1, "folder not found");
}

TEST_CASE("imagenet: the cost of the whole set from measured images a second") {
  const imagenet::Measured m{.examples_per_second = 100,
                             .crop = 64,
                             .epochs = 60,
                             .multiply_adds = 500'000'000,
                             .multiply_adds_full = 4'000'000'000,
                             .peak_bytes = 2'500'000'000};
  CHECK(imagenet::whole_seconds(m) == doctest::Approx(1281167.0 * 60 / 100));
  CHECK(imagenet::whole_seconds_full(m) == doctest::Approx(8 * 1281167.0 * 60 / 100));
  CHECK(imagenet::cost_text(m) ==
        "ImageNet   100.0 images a second at 64x64 (500 million multiply-adds forward), 2.50 GB at the most\n"
        "           60 epochs of its 1,281,167 images would take 8.9 days on this machine\n"
        "           at 224x224 a picture has 8 times the multiply-adds: 71.2 days, if time goes with them\n");
  CHECK(imagenet::cost_text({}).empty());
  CHECK(imagenet::long_duration(90) == "1.5 minutes");
  CHECK(imagenet::long_duration(3 * 3600) == "3 hours");
  CHECK(imagenet::long_duration(5 * 365.25 * 86400) == "5 years");
  CHECK(imagenet::peak_memory() > 1'000'000);
}
