// What users get for what is wrong: one line in the grammar of errors, the exit code, and nothing left behind.
#include <doctest/doctest.h>

#include <algorithm>

#include <tandem/core/io/file.h>
#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/tiny_cifar.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// cifar on a tiny data set, with the run folder "run" below `folder`.
Finished run_cifar(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--batch", "32", "--epochs", "1"});
  if (std::find(arguments.begin(), arguments.end(), "--data") == arguments.end())
    arguments.insert(arguments.end(), {"--data", (folder / "data").string()});
  if (std::find(arguments.begin(), arguments.end(), "--out") == arguments.end())
    arguments.insert(arguments.end(), {"--out", (folder / "run").string()});
  return run_child("cifar", arguments);
}

void check_refused(const Finished& finished, int code, const std::vector<std::string>& parts) {
  const std::string line = finished.last_error_line();
  INFO(finished.error);
  CHECK(finished.code == code);
  CHECK(finished.output.find("epoch") == std::string::npos);
  for (const std::string& part : parts) {
    INFO(part);
    CHECK(line.find(part) != std::string::npos);
  }
  CHECK(line.find(": ") != std::string::npos);
}

}  // namespace

TEST_CASE("a wrong command line ends with 2, one line, and no run folder") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const int files = folder.count();
  const auto refuse = [&](const std::vector<std::string>& arguments, const std::vector<std::string>& parts) {
    const Finished finished = run_cifar(folder, arguments);
    check_refused(finished, 2, parts);
    CHECK(std::count(finished.error.begin(), finished.error.end(), '\n') == 1);
    CHECK(folder.count() == files);
  };
  refuse({"--optimizer", "lookahaed(sgd(lr=0.1))"}, {"lookahaed", "lookahead", "column 1"});
  refuse({"--optimizer", "sgd(rl=0.1)"}, {"rl", "lr", "column 5"});
  refuse({"--optimizer", "sgd(lr=0.1"}, {"optimizer: "});
  refuse({"--optimizer", "lookahead(sgd(lr=0.1), k=0)"}, {"lookahead", "k is 0"});
  refuse({"--optimizer", "lookahead(sgd(lr=0.1), k=5, alpha=2)"}, {"lookahead", "alpha is 2", "[0, 1]"});
  refuse({"--optimizer", "sgd(lr=-0.1)"}, {"sgd", "lr is -0.1"});
  refuse({"--schedule", "cosin(warmup=0.1)"}, {"cosin", "cosine"});
  refuse({"--model", "resnet21"}, {"--model", "resnet21", "resnet20"});
  refuse({"--dataset", "cifar11"}, {"--dataset", "cifar11", "cifar10"});
  refuse({"--size", "64"}, {"--size", "is for --dataset folder"});
  refuse({"--skip-bad-files"}, {"--skip-bad-files", "is for --dataset folder"});
  refuse({"--precision", "f8"}, {"--precision", "f8"});
  refuse({"--steps", "-1"}, {"--steps", "-1"});
  refuse({"--seed", "x"}, {"--seed"});
  refuse({"--seed", "1", "--seed", "1"}, {"--seed", "twice"});
  refuse({"--epoch", "1"}, {"cifar: there is no option --epoch; did you mean --epochs?"});
  refuse({"--evaluate", "x", "--optimizer", "sgd(lr=1)"}, {"--evaluate"});
  check_refused(run_cifar(folder, {"--cutout", "33"}), 2, {"--cutout", "33", "[0, 32]"});
  CHECK(folder.count() == files);
}

TEST_CASE("data that are missing or damaged end with 1 and name the file") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const auto refuse = [&](const std::vector<std::string>& parts) {
    const Finished finished = run_cifar(folder, {"--dataset", "cifar10"});
    check_refused(finished, 1, parts);
    CHECK_FALSE(std::filesystem::exists(folder / "run"));
  };
  SUBCASE("no folder") {
    std::filesystem::remove_all(folder / "data");
    refuse({(folder / "data").string(), "examples/get_data.sh cifar10"});
  }
  SUBCASE("a file is missing") {
    std::filesystem::remove(folder / "data/data_batch_3.bin");
    refuse({"data_batch_3.bin"});
  }
  SUBCASE("a truncated file") {
    write_file(folder / "data/data_batch_2.bin", tiny_cifar_records(24, 1).substr(0, 24 * kCifarRecord - 5));
    refuse({"data_batch_2.bin", std::to_string(24 * kCifarRecord - 5)});
  }
  SUBCASE("a label out of range") {
    std::string records = tiny_cifar_records(24, 1);
    records[5 * kCifarRecord] = 10;
    write_file(folder / "data/data_batch_4.bin", records);
    refuse({"data_batch_4.bin", "10"});
  }
}

TEST_CASE("when every run diverges the program ends with 3, and names step and layer") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const Finished finished = run_cifar(folder, {"--optimizer", "sgd(lr=1e30)", "--schedule", "constant"});
  CHECK(finished.code == 3);
  CHECK(finished.output.find("sgd-seed0  diverged at step ") != std::string::npos);
  CHECK(finished.output.find("is the first whose output is not finite") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "run/sgd-seed0/model.safetensors"));
  CHECK(std::filesystem::exists(folder / "run/report.html"));
}

TEST_CASE("what a command line asks for has bounds") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const int files = folder.count();
  for (const auto& [option, value] : {std::pair{"--batch", "2305843009213693952"},
                                      {"--epochs", "100000000000000000"},
                                      {"--steps", "9223372036854775807"},
                                      {"--evaluate-every", "-1"},
                                      {"--jobs", "0"},
                                      {"--threads", "100000"},
                                      {"--patience", "-1"},
                                      {"--validation", "120"}}) {
    const Finished finished =
        run_child("cifar", {"--data", (folder / "data").string(), "--out", (folder / "run").string(), option, value});
    check_refused(finished, 2, {option, value});
    CHECK(folder.count() == files);
  }
}

TEST_CASE("a batch larger than the set is the set") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const Finished finished = run_child(
      "cifar", {"--data", (folder / "data").string(), "--out", (folder / "run").string(), "--batch", "2000000000",
                "--model", "convnet", "--steps", "2", "--optimizer", "sgd(lr=0.01)", "--quiet"});
  INFO(finished.error);
  CHECK(finished.code == 0);
}

TEST_CASE("a run folder that cannot be written ends with 1 and the reason") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  write_file(folder / "file", "x");
  check_refused(run_cifar(folder, {"--out", (folder / "file/run").string()}), 1,
                {(folder / "file/run").string(), "Not a directory"});
  check_refused(run_cifar(folder, {"--out", "/proc/tandem"}), 1, {"/proc/tandem"});
}

TEST_CASE("--evaluate of a folder without models, or with a foreign file, ends with 1") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const auto evaluate = [&] {
    return run_child("cifar", {"--data", (folder / "data").string(), "--evaluate", (folder / "run").string()});
  };
  check_refused(evaluate(), 1, {(folder / "run").string(), "the run folder is not there"});
  REQUIRE(run_cifar(folder, {"--optimizer", "sgd(lr=0.01)", "--model", "convnet", "--quiet"}).code == 0);
  write_file(folder / "run/sgd-seed0/model.safetensors", "not what it says it is");
  check_refused(evaluate(), 1, {"model.safetensors", "not a safetensors file"});
  std::filesystem::remove(folder / "run/sgd-seed0/model.safetensors");
  check_refused(evaluate(), 1, {(folder / "run").string(), "no model to evaluate"});
}
