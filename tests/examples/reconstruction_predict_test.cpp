// autoencoder and vae at work: pictures given back by trained models, other folders evaluated, and what is never
// overwritten.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include <tandem/tandem.h>

#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/tiny_cifar.h"

using namespace tandem;
using namespace tandem::test;

namespace {

void write_noise(const std::filesystem::path& path, std::uint64_t seed, std::int64_t height, std::int64_t width) {
  std::filesystem::create_directories(path.parent_path());
  Generator random(seed);
  Array image = Array::empty({3, height, width});
  random.fill_uniform(image);
  write_png(path, image);
}

}  // namespace

TEST_CASE("--predict writes what a model gives back, and replaces nothing unasked") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  write_noise(folder / "a/cat.png", 1, 40, 50);
  write_noise(folder / "b/cat.png", 2, 32, 32);
  const std::string cat = (folder / "a/cat.png").string(), other = (folder / "b/cat.png").string();
  for (const std::string program : {"autoencoder", "vae"}) {
    INFO(program);
    const std::string out = (folder / program).string();
    const Finished trained = run_child(
        program, {"--data", (folder / "data").string(), "--steps", "2", "--optimizer", "adam(lr=1e-3)", "--out", out});
    INFO(trained.error);
    REQUIRE(trained.code == 0);
    const auto manifest = nlohmann::json::parse(read_file(folder / program / "manifest.json"));
    const std::string run = manifest["runs"][0]["name"];
    const std::string model = (folder / program / run / "model.safetensors").string();
    const std::string target = (folder / (program + "-out")).string();

    const std::vector<std::string> words = {"--predict", cat, "--init", model, "--out", target};
    const Finished finished = run_child(program, words);
    INFO(finished.error);
    REQUIRE(finished.code == 0);
    const std::filesystem::path written = std::filesystem::path(target) / "cat-reconstruction.png";
    CHECK(finished.output.rfind(written.string() + "  psnr ", 0) == 0);
    const Array back = read_image(written);
    REQUIRE(back.shape() == Shape{1, 3, 32, 32});

    const auto [loaded, info] = nn::load_model(model);
    CHECK(info.input == std::vector<std::int64_t>{3, 32, 32});
    CHECK(info.mean == std::vector<double>{0, 0, 0});
    CHECK(info.deviation == std::vector<double>{1, 1, 1});
    Dataset one;
    one.name = "cat";
    one.images = cover(read_image(cat), {32, 32});
    one.labels = Array::zeros({1}, DType::i64);
    one.classes = {"picture"};
    const Array input = Loader(one, {.batch = 1, .shuffle = false, .transform = to_unit()}).next()->images;
    const NoGradGuard no_grad;
    CHECK(identical(to_bytes((*loaded)(input).value()), back));

    const std::string before = read_file(written);
    const Finished again = run_child(program, words);
    CHECK(again.code == 1);
    CHECK(again.last_error_line().find("cat-reconstruction.png: is there already") != std::string::npos);
    CHECK(read_file(written) == before);
    std::vector<std::string> replacing = words;
    replacing.insert(replacing.end(), {"--overwrite", "--json"});
    const Finished replaced = run_child(program, replacing);
    REQUIRE(replaced.code == 0);
    const auto json = nlohmann::json::parse(replaced.output);
    REQUIRE(json.size() == 1);
    CHECK(json[0]["file"] == cat);
    CHECK(json[0]["written"] == written.string());
    CHECK(json[0]["psnr"].is_number());

    const Finished twice = run_child(program, {"--predict", cat, other, "--init", model, "--out", target});
    CHECK(twice.code == 2);
    CHECK(twice.last_error_line().find("two pictures would get one name") != std::string::npos);

    const Finished of_run = run_child(program, {"--evaluate", out, "--predict", cat, "--out", target});
    INFO(of_run.error);
    CHECK(of_run.code == 0);
    CHECK(read_file(std::filesystem::path(target) / ("cat-" + run + ".png")) == before);
    CHECK(run_child(program, {"--evaluate", out, "--out", target}).code == 2);
    CHECK(run_child(program, {"--predict", cat}).code == 2);
  }
  CHECK(run_child("autoencoder", {"--predict", cat, "--init", cat, "--noise", "0.1"}).code == 2);
}

TEST_CASE("--evaluate on another folder measures all of it; a vae takes its own size alone") {
  const TemporaryFolder folder;
  for (std::uint64_t i = 0; i < 24; ++i) {
    write_noise(folder / "first" / (std::to_string(i) + ".png"), i, 20, 26);
    write_noise(folder / "second" / (std::to_string(i) + ".png"), 100 + i, 20, 26);
  }
  for (const std::string program : {"autoencoder", "vae"}) {
    INFO(program);
    const std::string out = (folder / program).string();
    const Finished trained = run_child(program, {"--data", (folder / "first").string(), "--size", "16", "--steps", "2",
                                                 "--optimizer", "adam(lr=1e-3)", "--out", out});
    INFO(trained.error);
    REQUIRE(trained.code == 0);
    const Finished other = run_child(program, {"--evaluate", out, "--data", (folder / "second").string()});
    INFO(other.error);
    CHECK(other.code == 0);
    CHECK(other.output.find("not those of training: all 24 are measured") != std::string::npos);
    const Finished larger =
        run_child(program, {"--evaluate", out, "--data", (folder / "second").string(), "--size", "24"});
    INFO(larger.error);
    CHECK(larger.code == (program == "vae" ? 1 : 0));
    if (program == "vae")
      CHECK(larger.last_error_line().find("3x24x24, trained on 3x16x16; --size 16 makes a folder's pictures so") !=
            std::string::npos);
  }
}
