// cifar on a hand-made folder of few pictures, as a child process: what is printed, what is written, and that the same
// command gives the same weights.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include <tandem/core/io/safetensors.h>
#include <tandem/core/tree.h>
#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/tiny_cifar.h"

using namespace tandem;
using namespace tandem::test;

namespace {

const std::string kMomentum = "momentum(lr=0.05, momentum=0.9)";
const std::string kLookahead = "lookahead(momentum(lr=0.05, momentum=0.9), k=2, alpha=0.5)";

std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out) {
  return {"--data",      (folder / "data").string(),
          "--out",       (folder / out).string(),
          "--epochs",    "2",
          "--batch",     "32",
          "--optimizer", kMomentum,
          "--optimizer", kLookahead};
}

int count_lines(const std::string& text, const std::string& with) {
  int count = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (text.substr(begin, end - begin).find(with) != std::string::npos) ++count;
    begin = end + 1;
  }
  return count;
}

}  // namespace

TEST_CASE("a comparison: first lines, a line an epoch, the table, the files; the same again gives the same weights") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  std::vector<std::string> arguments = command(folder, "run");
  arguments.insert(arguments.end(), {"--seed", "0", "--seed", "1"});
  const Finished finished = run_child("cifar", arguments);
  INFO(finished.error);
  REQUIRE(finished.code == 0);

  const std::string& output = finished.output;
  CHECK(output.rfind("data       cifar10: 120 training and 40 test images 3x32x32 in 10 classes\n"
                     "model      resnet20: 269,722 parameters\n"
                     "optimizer  momentum(",
                     0) == 0);
  CHECK(count_lines(output, "optimizer  ") == 2 + 1);  // and the head of the table
  CHECK(count_lines(output, "seed       0, 1") == 1);
  CHECK(count_lines(output, "precision  f32, ") == 1);
  CHECK(count_lines(output, "epoch 1/2") == 4);
  CHECK(count_lines(output, "epoch 2/2  step 8") == 4);
  CHECK(output.find('\r') == std::string::npos);

  const auto summary = nlohmann::json::parse(read_file(folder / "run/summary.json"));
  REQUIRE(summary["runs"].size() == 4);
  CHECK(summary["parameters"] == 269722);
  for (const auto& run : summary["runs"]) {
    CHECK(run["epochs"] == 2);
    CHECK(run["steps"] == 8);
    for (const char* metric : {"train_loss", "test_loss", "test_accuracy"}) CHECK(run["final"][metric].is_number());
  }
  CHECK(summary["runs"][0]["optimizer"] == kMomentum);
  CHECK(summary["runs"][1]["optimizer"] == kLookahead);
  CHECK(summary["options"]["batch"] == "32");
  CHECK(summary["data_checksum"].get<std::string>().size() == 16);
  const std::string report = read_file(folder / "run/report.html");
  for (const auto& run : summary["runs"]) CHECK(report.find(run["label"].get<std::string>()) != std::string::npos);
  CHECK(count_lines(output, "Differences of test_accuracy at the end, paired by seed") == 1);
  CHECK(count_lines(output, "against momentum") == 1);
  CHECK(count_lines(output, "At equal steps") == 1);
  const std::string table = read_file(folder / "run/metrics.csv");
  CHECK(table.rfind("run,optimizer,seed,epoch,step,train_loss,test_loss,test_accuracy\n", 0) == 0);
  CHECK(count_lines(table, ",2,8,") == 4);
  CHECK(count_lines(table, "-seed") == 4 * 8);  // evaluations: about twenty, so here after every step
  CHECK(count_lines(read_file(folder / "run/steps.csv"), "-seed") == 4 * 8);
  for (const auto& run : summary["runs"])
    CHECK(std::filesystem::exists(folder / "run" / run["run"].get<std::string>() / "events.out.tfevents.tandem"));

  // Again, one optimizer and one seed at a time: neither has an influence on another's batches or weights.
  REQUIRE(run_child("cifar", {"--data", (folder / "data").string(), "--out", (folder / "again").string(), "--epochs",
                              "2", "--batch", "32", "--optimizer", kLookahead, "--seed", "1", "--quiet"})
              .code == 0);
  CHECK(read_file(folder / "run/lookahead-momentum-seed1/model.safetensors") ==
        read_file(folder / "again/lookahead-momentum-seed1/model.safetensors"));
  CHECK(read_file(folder / "run/momentum-seed0/model.safetensors") !=
        read_file(folder / "run/momentum-seed1/model.safetensors"));

  SUBCASE("--evaluate finds the same accuracy as the run, for each of its models") {
    const Finished evaluated =
        run_child("cifar", {"--data", (folder / "data").string(), "--evaluate", (folder / "run").string()});
    REQUIRE(evaluated.code == 0);
    char expected[100];
    std::snprintf(expected, sizeof expected, "lookahead-momentum-seed1  test_loss %.4f  test_accuracy %.4f",
                  summary["runs"][3]["final"]["test_loss"].get<double>(),
                  summary["runs"][3]["final"]["test_accuracy"].get<double>());
    CHECK(count_lines(evaluated.output, expected) == 1);
    CHECK(count_lines(evaluated.output, "test_accuracy") == 4);
  }
  SUBCASE("a saved model has PyTorch's names and says what it is") {
    const Safetensors model = load_safetensors(folder / "run/momentum-seed0/model.safetensors");
    CHECK(model.metadata.at("tandem.model") == "\"resnet20\"");
    CHECK(model.metadata.at("optimizer") == kMomentum);
    CHECK(model.metadata.at("seed") == "0");
    REQUIRE(model.find("conv1.weight") != nullptr);
    CHECK(model.find("conv1.weight")->shape() == Shape{16, 3, 3, 3});
    CHECK(model.find("bn1.running_mean") != nullptr);
    CHECK(model.find("linear.bias") != nullptr);
  }
}

TEST_CASE("--steps ends a run inside an epoch, with its row and its model; --quiet shows no progress") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  std::vector<std::string> arguments = command(folder, "run");
  arguments.insert(arguments.end(), {"--steps", "6", "--quiet", "--schedule", "constant", "--cutout", "8"});
  const Finished finished = run_child("cifar", arguments);
  REQUIRE(finished.code == 0);
  CHECK(count_lines(finished.output, "epoch ") == 0);
  const std::string table = read_file(folder / "run/metrics.csv");
  CHECK(count_lines(table, ",0,1,4,") == 2);
  CHECK(count_lines(table, ",0,1.5,6,") == 2);
  CHECK(std::filesystem::exists(folder / "run/momentum-seed0/model.safetensors"));
}

TEST_CASE("--reestimate changes what is evaluated and saved, never what is trained") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const auto run = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = command(folder, out);
    arguments.insert(arguments.end(), more.begin(), more.end());
    REQUIRE(run_child("cifar", arguments).code == 0);
    const std::string base = (folder / out).string() + "/lookahead-momentum-seed0/";
    return std::pair{load_safetensors(base + "checkpoint.safetensors"), load_safetensors(base + "model.safetensors")};
  };
  const auto [kept_state, kept_model] = run("kept", {});
  const auto [fresh_state, fresh_model] = run("fresh", {"--reestimate", "3"});
  CHECK(to_string(compare_trees(kept_state.arrays, fresh_state.arrays)) == "equal");
  CHECK(identical(*kept_model.find("conv1.weight"), *fresh_model.find("conv1.weight")));
  CHECK_FALSE(identical(*kept_model.find("bn1.running_mean"), *fresh_model.find("bn1.running_mean")));
  CHECK(fresh_model.find("bn1.num_batches_tracked")->item() == 3);
}

TEST_CASE("--help prints the options with their defaults") {
  const Finished help = run_child("cifar", {"--help"});
  CHECK(help.code == 0);
  CHECK(help.error.empty());
  for (const char* option : {"--data", "--dataset", "--optimizer", "--schedule", "--model", "--epochs", "--steps",
                             "--batch", "--seed", "--precision", "--threads", "--out", "--evaluate", "--quiet",
                             "--cutout", "resnet20", "128", "cosine(warmup=0.1)"})
    CHECK(help.output.find(option) != std::string::npos);
}
