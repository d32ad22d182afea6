// autoencoder and vae on few pictures, as child processes: what is measured, drawn and written; noise that depends on
// the batch alone; and a killed run that goes on to the same bits.
#include <doctest/doctest.h>

#include <unistd.h>

#include <cmath>
#include <csignal>

#include <nlohmann/json.hpp>

#include <tandem/core/file.h>
#include <tandem/data/cifar.h>

#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/common/autoencoder_task.h"
#include "examples/common/vae_task.h"
#include "examples/tiny_cifar.h"

using namespace tandem;
using namespace tandem::test;

namespace {

std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out, const std::string& epochs) {
  return {"--dataset", "cifar10",
          "--data",    (folder / "data").string(),
          "--out",     (folder / out).string(),
          "--epochs",  epochs,
          "--batch",   "24",
          "--seed",    "4"};
}

}  // namespace

TEST_CASE("autoencoder: denoising compared by psnr and ssim, with pictures in the report") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  std::vector<std::string> arguments = command(folder, "run", "3");
  arguments.insert(arguments.end(), {"--noise", "0.1"});
  const Finished finished = run_child("autoencoder", arguments);
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(finished.output.find("code 1/8 of an image; noise 0.1 on the input") != std::string::npos);

  const auto summary = nlohmann::json::parse(read_file(folder / "run/summary.json"));
  CHECK(summary["program"] == "autoencoder");
  REQUIRE(summary["runs"].size() == 3);
  for (const auto& run : summary["runs"]) {
    const double error = run["final"]["test_loss"], psnr = run["final"]["psnr"], ssim = run["final"]["ssim"];
    CHECK(error > 0);
    // The mean of a logarithm is at least the logarithm of the mean (Jensen), and images differ little here.
    CHECK(psnr >= 10 * std::log10(1 / error) - 1e-9);
    CHECK(psnr < 10 * std::log10(1 / error) + 6);
    CHECK(ssim > -1);
    CHECK(ssim < 1);
  }
  const std::string report = read_file(folder / "run/report.html");
  CHECK(report.find("noisy input") != std::string::npos);
  CHECK(report.find("data:image/png;base64,") != std::string::npos);

  const Finished evaluated = run_child(
      "autoencoder", {"--evaluate", (folder / "run").string(), "--data", (folder / "data").string(), "--noise", "0.1"});
  INFO(evaluated.error);
  CHECK(evaluated.code == 0);
  CHECK(evaluated.output.find("psnr") != std::string::npos);
}

TEST_CASE("vae: the bound, samples and a walk; killed and resumed, it ends with the same model") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  std::vector<std::string> arguments = command(folder, "whole", "4");
  arguments.insert(arguments.end(), {"--latent", "8", "--threads", "1", "--checkpoint-every", "1", "--optimizer",
                                     "lookahead(adam(lr=1e-3), k=3, alpha=0.5)"});
  const Finished whole = run_child("vae", arguments);
  INFO(whole.error);
  REQUIRE(whole.code == 0);
  const std::string report = read_file(folder / "whole/report.html");
  for (const char* figure : {"samples", "walk", "reconstructions"}) CHECK(report.find(figure) != std::string::npos);
  const auto summary = nlohmann::json::parse(read_file(folder / "whole/summary.json"));
  CHECK(summary["metric"] == "elbo");
  CHECK(summary["runs"][0]["final"]["elbo"].is_number());

  arguments[5] = (folder / "killed").string();
  const std::string run = "/1-lookahead-adam-seed4/";
  {
    Child child("vae", arguments, "/nonexistent", {});
    while (!child.has_ended() && !std::filesystem::exists(folder / ("killed" + run + "checkpoint.safetensors")))
      ::usleep(1000);
    child.send(SIGKILL);
    REQUIRE(child.wait().code == 128 + SIGKILL);
  }
  const Finished resumed = run_child("vae", {"--resume", (folder / "killed").string()});
  INFO(resumed.error);
  REQUIRE(resumed.code == 0);
  CHECK(resumed.output.find("from step") != std::string::npos);
  CHECK(read_file(folder / ("killed" + run + "model.safetensors")) ==
        read_file(folder / ("whole" + run + "model.safetensors")));
  CHECK(read_file(folder / "killed/metrics.csv") == read_file(folder / "whole/metrics.csv"));
}

TEST_CASE("the noise of a batch depends on seed and number of the batch alone") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  examples::Autoencoding first(cifar10({.folder = folder / "data"}), {.dataset = "cifar10", .batch = 24, .noise = 0.2});
  examples::Autoencoding second(cifar10({.folder = folder / "data"}),
                                {.dataset = "cifar10", .batch = 24, .noise = 0.2});
  const auto model = first.make_model(5);
  first.start_epoch(7, 1, 0);
  for (int i = 0; i < 3; ++i) REQUIRE(first.next_batch());
  const double loss = first.loss(*model).item();
  CHECK(first.loss(*model).item() == loss);

  second.start_epoch(7, 1, 2);
  REQUIRE(second.next_batch());
  CHECK(second.loss(*second.make_model(5)).item() == loss);
  second.start_epoch(8, 1, 2);
  REQUIRE(second.next_batch());
  CHECK(second.loss(*model).item() != loss);
}

TEST_CASE("options out of range end with exit code 2 and the option's name") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const auto end_of = [&](const std::string& program, const std::string& option, const std::string& value) {
    std::vector<std::string> arguments = command(folder, "bad", "1");
    arguments.insert(arguments.end(), {option, value});
    const Finished finished = run_child(program, arguments);
    CHECK(finished.code == 2);
    CHECK(finished.last_error_line().find(option) != std::string::npos);
    CHECK(!std::filesystem::exists(folder / "bad"));
  };
  end_of("autoencoder", "--noise", "-0.1");
  end_of("autoencoder", "--code", "0");
  end_of("vae", "--latent", "0");
}
