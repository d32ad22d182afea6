// autoencoder and vae on few pictures, as child processes: what is measured, drawn and written, what is refused before
// the first step, noise by the number of the batch alone, and killed runs that go on to the same bits. Their files at
// work: reconstruction_predict_test.cpp.
#include <doctest/doctest.h>

#include <unistd.h>

#include <cmath>
#include <csignal>
#include <sstream>

#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/tandem.h>

#include "core/temporary_folder.h"
#include "examples/autoencoder/reconstruction.h"
#include "examples/child_process.h"
#include "examples/tiny_cifar.h"

using namespace tandem;
using namespace tandem::test;

namespace {

using Words = std::vector<std::string>;

Words command(const TemporaryFolder& folder, const std::string& out, const Words& more) {
  Words words = {
      "--dataset", "cifar10", "--data", (folder / "data").string(), "--out", (folder / out).string(), "--batch",
      "24",        "--seed",  "4"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

nlohmann::json json_of(const std::filesystem::path& path) { return nlohmann::json::parse(read_file(path)); }

/// The folder of the first run of a comparison.
std::filesystem::path first_run(const std::filesystem::path& folder) {
  return folder / json_of(folder / "manifest.json")["runs"][0]["name"].get<std::string>();
}

/// The loss of the first step in a run's steps.csv.
double first_loss(const std::filesystem::path& run) {
  std::istringstream lines(read_file(run / "steps.csv"));
  std::string header, line;
  std::getline(lines, header);
  std::getline(lines, line);
  REQUIRE(header.rfind("step,loss,", 0) == 0);
  return std::stod(line.substr(line.find(',') + 1));
}

void write_black(const std::filesystem::path& folder, int count, std::int64_t height, std::int64_t width) {
  std::filesystem::create_directories(folder);
  for (int i = 0; i < count; ++i)
    write_png(folder / (std::to_string(i) + ".png"), Array::zeros({3, height, width}, DType::u8));
}

}  // namespace

TEST_CASE("autoencoder: denoising compared by psnr and ssim, with pictures; evaluated by the run's own options") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const Finished finished = run_child("autoencoder", command(folder, "run", {"--epochs", "3", "--noise", "0.1"}));
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(finished.output.find("code 1/8 of an image; noise 0.1 on the input") != std::string::npos);

  const auto summary = json_of(folder / "run/summary.json");
  CHECK(summary["program"] == "autoencoder");
  CHECK(summary["metric"] == "psnr");
  REQUIRE(summary["runs"].size() == 3);
  for (const auto& run : summary["runs"]) {
    const double error = run["final"]["test_loss"], psnr = run["final"]["psnr"], ssim = run["final"]["ssim"];
    CHECK(error > 0);
    // The mean of a logarithm is at least the logarithm of the mean (Jensen), and images differ little here.
    CHECK(psnr >= 10 * std::log10(1 / error) - 1e-9);
    CHECK(psnr < 10 * std::log10(1 / error) + 6);
    CHECK(ssim > -1);
    CHECK(ssim < 1);
    const std::filesystem::path own = folder / "run" / run["run"].get<std::string>() / "pictures/reconstructions.png";
    CHECK(read_image(own).shape(3) == 8 * 2 * (32 + 2) - 4);
  }
  CHECK(read_image(folder / "run/pictures/reconstructions-input.png").shape(2) == 64);
  CHECK(std::filesystem::exists(folder / "run/pictures/reconstructions-noisy input.png"));
  const std::string report = read_file(folder / "run/report.html");
  CHECK(report.find("noisy input") != std::string::npos);
  CHECK(report.find("data:image/png;base64,") != std::string::npos);

  const Words again = {"--evaluate", (folder / "run").string(), "--json"};
  const Finished evaluated = run_child("autoencoder", again);
  INFO(evaluated.error);
  REQUIRE(evaluated.code == 0);
  const auto metrics = nlohmann::json::parse(evaluated.output);
  CHECK(metrics.size() == 3);
  for (const auto& run : summary["runs"]) {
    CHECK(metrics[run["run"].get<std::string>()]["psnr"] == run["final"]["psnr"]);
    CHECK(metrics[run["run"].get<std::string>()]["test_loss"] == run["final"]["test_loss"]);
  }
  const Finished clean = run_child("autoencoder", {"--evaluate", (folder / "run").string(), "--noise", "0", "--json"});
  REQUIRE(clean.code == 0);
  CHECK(nlohmann::json::parse(clean.output) != metrics);
  CHECK(run_child("autoencoder", {"--evaluate", (folder / "run").string(), "--code", "8"}).code == 2);
}

TEST_CASE("autoencoder: noise is keyed by seed and batch in training, by the batch of 500 in the test") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const Finished finished = run_child(
      "autoencoder",
      command(folder, "run", {"--epochs", "1", "--noise", "0.2", "--threads", "1", "--optimizer", "adam(lr=1e-3)"}));
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  const OneThread one_thread;  // as the child processes have: other numbers of threads sum in another order
  const TrainTest set = cifar10({.folder = folder / "data"});
  const auto noisy = [](const Array& images, Generator random) {
    Array noise = Array::empty(images.shape(), DType::f32, Layout::channels_last);
    random.fill_normal(noise, 0, 0.2);
    return (Tensor(images) + Tensor(noise)).value();
  };
  nn::seed(4);
  nn::ConvAutoencoder model({.channels = 3, .code = 24});
  Loader training(set.train, {.batch = 24, .seed = 4, .transform = random_flip() | to_unit()});
  const Array images = training.next()->images;
  CHECK(static_cast<float>(first_loss(first_run(folder / "run"))) ==
        static_cast<float>(mse_loss(model(noisy(images, Generator(4, 0x62617463).split(1))), images).item()));

  nn::load_weights(model, first_run(folder / "run") / "model.safetensors");
  model.evaluate();
  const NoGradGuard no_grad;
  Loader testing(set.test, {.batch = 500, .shuffle = false, .transform = to_unit()});
  const Array all = testing.next()->images;
  const double loss = mse_loss(model(noisy(all, Generator(0x6e6f697365).split(0))), all).item();
  CHECK(json_of(folder / "run/summary.json")["runs"][0]["final"]["test_loss"] == loss);
}

TEST_CASE("killed and resumed, autoencoder and vae end with the same model, pictures and curves") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const std::pair<const char*, Words> programs[] = {{"vae", {"--latent", "8"}}, {"autoencoder", {"--noise", "0.1"}}};
  for (const auto& [program, own] : programs) {
    const std::string& name = program;
    INFO(name);
    Words more = {"--epochs",           "4", "--threads",   "1",
                  "--checkpoint-every", "1", "--optimizer", "lookahead(adam(lr=1e-3), k=3, alpha=0.5)"};
    more.insert(more.end(), own.begin(), own.end());
    const std::string whole = std::string(program) + "-whole", killed = std::string(program) + "-killed";
    const Finished finished = run_child(program, command(folder, whole, more));
    INFO(finished.error);
    REQUIRE(finished.code == 0);
    const std::string run = first_run(folder / whole).filename().string();
    {
      Child child(program, command(folder, killed, more), "/nonexistent", {});
      while (!child.has_ended() && !std::filesystem::exists(folder / killed / run / "checkpoint.safetensors"))
        ::usleep(1000);
      child.send(SIGKILL);
      REQUIRE(child.wait().code == 128 + SIGKILL);
    }
    const Finished resumed = run_child(program, {"--resume", (folder / killed).string()});
    INFO(resumed.error);
    REQUIRE(resumed.code == 0);
    CHECK(resumed.output.find("from step") != std::string::npos);
    for (const char* file : {"model.safetensors", "metrics.csv", "steps.csv", "pictures/reconstructions.png"})
      CHECK(read_file(folder / killed / run / file) == read_file(folder / whole / run / file));
  }
  const std::string report = read_file(folder / "vae-whole/report.html");
  for (const char* figure : {"samples", "walk", "reconstructions"}) CHECK(report.find(figure) != std::string::npos);
  const auto summary = json_of(folder / "vae-whole/summary.json");
  CHECK(summary["metric"] == "elbo");
  CHECK(summary["runs"][0]["final"]["elbo"].is_number());
}

TEST_CASE("vae under plateau watches the bound") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const Finished finished = run_child("vae", command(folder, "run",
                                                     {"--epochs", "3", "--latent", "8", "--optimizer", "sgd(lr=0)",
                                                      "--schedule", "plateau(by=0.5, patience=1)"}));
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(json_of(folder / "run/summary.json")["runs"][0]["epochs"] == 3);
}

TEST_CASE("validation, patience, freezing and initial weights") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const Words few = {"--epochs", "2", "--validation", "40", "--optimizer", "adam(lr=1e-3)"};
  for (const char* program : {"autoencoder", "vae"}) {
    const std::string& name = program;
    INFO(name);
    const Finished finished = run_child(program, command(folder, program, few));
    INFO(finished.error);
    REQUIRE(finished.code == 0);
    CHECK(finished.output.find("80 training, 40 validation and 40 test images") != std::string::npos);
    const auto final = json_of(folder / program / "summary.json")["runs"][0]["final"];
    for (const char* metric : {"validation_psnr", "validation_ssim", "psnr", "ssim"}) CHECK(final.contains(metric));
    CHECK(std::filesystem::exists(first_run(folder / program) / "best.safetensors"));
  }
  const std::string trained = (first_run(folder / "autoencoder") / "model.safetensors").string();
  const Finished still = run_child("autoencoder", command(folder, "still",
                                                          {"--init", trained, "--optimizer", "sgd(lr=0)", "--epochs",
                                                           "9", "--evaluate-every", "5", "--patience", "2"}));
  INFO(still.error);
  REQUIRE(still.code == 0);
  const auto run = json_of(folder / "still/summary.json")["runs"][0];
  CHECK(run["status"] == "stopped");
  CHECK(run["steps"] == 15);
  CHECK(run["final"]["psnr"] == json_of(folder / "autoencoder/summary.json")["runs"][0]["final"]["psnr"]);

  const Finished frozen =
      run_child("autoencoder",
                command(folder, "frozen", {"--freeze", "encoder.*", "--steps", "2", "--optimizer", "sgd(lr=0.1)"}));
  INFO(frozen.error);
  REQUIRE(frozen.code == 0);
  nn::seed(4);
  nn::ConvAutoencoder fresh({.channels = 3, .code = 24}), model({.channels = 3, .code = 24});
  nn::load_weights(model, first_run(folder / "frozen") / "model.safetensors");
  const NamedTensors before = fresh.parameters(), after = model.parameters();
  for (std::size_t i = 0; i < before.size(); ++i) {
    INFO(before[i].name);
    CHECK(identical(before[i].tensor.value(), after[i].tensor.value()) == before[i].name.starts_with("encoder."));
  }
}

TEST_CASE("options out of range end with exit code 2 and the option's name, before a folder is made") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const auto end_of = [&](const std::string& program, const std::string& option, const std::string& value) {
    const Finished finished = run_child(program, command(folder, "bad", {option, value}));
    INFO(finished.error);
    CHECK(finished.code == 2);
    CHECK(finished.last_error_line().find(option) != std::string::npos);
    CHECK(!std::filesystem::exists(folder / "bad"));
  };
  end_of("autoencoder", "--noise", "-0.1");
  end_of("autoencoder", "--noise", "nan");
  end_of("autoencoder", "--noise", "inf");
  for (const char* value : {"0", "4097", "4611686018427387905"}) end_of("autoencoder", "--code", value);
  for (const char* value : {"0", "16385", "4611686018427387905"}) end_of("vae", "--latent", value);
}

TEST_CASE("pictures that the models or ssim cannot take are refused before the first step") {
  const TemporaryFolder folder;
  write_black(folder / "pictures", 24, 20, 26);
  write_black(folder / "small", 24, 8, 8);
  write_black(folder / "oblong", 24, 16, 24);
  write_black(folder / "few", 12, 16, 16);  // a test set of one
  const auto end_of = [&](const std::string& program, const std::string& data, const Words& more, int code,
                          const std::string& part) {
    Words words = {"--data", (folder / data).string(), "--out", (folder / "out").string()};
    words.insert(words.end(), more.begin(), more.end());
    const Finished finished = run_child(program, words);
    INFO(program << ": " << finished.error);
    CHECK(finished.code == code);
    CHECK(finished.last_error_line().find(part) != std::string::npos);
    CHECK(!std::filesystem::exists(folder / "out"));
  };
  for (const char* program : {"autoencoder", "vae"}) {
    for (const char* size : {"8", "12"})
      end_of(program, "pictures", {"--size", size}, 2,
             std::string("--size: is ") + size + ", must be a multiple of 8, and at least 11");
    end_of(program, "pictures", {}, 1, "they are 20x26; --size 32 makes them fit");
    end_of(program, "small", {}, 1, "they are 8x8");
  }
  end_of("vae", "oblong", {}, 1, "images are not square: they are 16x24");
  end_of("vae", "few", {}, 1, "the test set needs two images");
}

TEST_CASE("black pictures that come back exactly do not end a run") {
  const TemporaryFolder folder;
  write_black(folder / "black", 20, 16, 16);
  const Finished finished =
      run_child("autoencoder", {"--data", (folder / "black").string(), "--out", (folder / "run").string(), "--epochs",
                                "3", "--batch", "32", "--seed", "1", "--optimizer", "adam(lr=0.3)"});
  INFO(finished.error);
  CHECK(finished.code == 0);
  CHECK(finished.output.find("folder: 18 training and 2 test images 3x16x16") != std::string::npos);
}
