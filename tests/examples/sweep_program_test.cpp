// A sweep as a user runs it: lists in braces, cells that diverge, several processes at a time, killed and resumed.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/kill_at_step.h"
#include "examples/tiny_cifar.h"

using namespace tandem;
using namespace tandem::test;

namespace {

std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out,
                                 const std::vector<std::string>& more) {
  std::vector<std::string> all = {"--data",
                                  (folder / "data").string(),
                                  "--out",
                                  (folder / out).string(),
                                  "--model",
                                  "convnet",
                                  "--batch",
                                  "32",
                                  "--epochs",
                                  "2",
                                  "--checkpoint-every",
                                  "1",
                                  "--optimizer",
                                  "lookahead(sgd(lr={0.01,0.1,1e30}), k={2,3}, alpha=0.5)"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

nlohmann::json summary_of(const TemporaryFolder& folder, const std::string& out) {
  return nlohmann::json::parse(read_file(folder / (out + "/summary.json")));
}

/// Final values and ends of all runs: what must not depend on how they were run.
nlohmann::json results_of(const TemporaryFolder& folder, const std::string& out) {
  nlohmann::json results;
  const nlohmann::json summary = summary_of(folder, out);
  for (const auto& run : summary["runs"])
    results[run["run"].get<std::string>()] = {run["status"], run["steps"], run["final"]};
  return results;
}

}  // namespace

TEST_CASE("a sweep with diverging cells: every cell is a run, named by what differs; exit code 0, and a report") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const Finished one = run_child("cifar", command(folder, "one", {"--threads", "1"}));
  INFO(one.error);
  REQUIRE(one.code == 0);
  const nlohmann::json results = results_of(folder, "one");
  REQUIRE(results.size() == 6);
  CHECK(results["lr=0.01-k=2-seed0"][0] == "finished");
  CHECK(results["lr=1e30-k=2-seed0"][0] == "diverged");
  CHECK(results["lr=1e30-k=3-seed0"][0] == "diverged");
  CHECK(one.output.find("diverged at step") != std::string::npos);
  CHECK(std::filesystem::exists(folder / "one/report.html"));
  CHECK(std::filesystem::exists(folder / "one/lr=0.1-k=3-seed0/model.safetensors"));

  SUBCASE("--jobs gives the same numbers, with as many threads a run") {
    const Finished two = run_child("cifar", command(folder, "two", {"--threads", "2", "--jobs", "2", "--quiet"}));
    INFO(two.error);
    REQUIRE(two.code == 0);
    CHECK(results_of(folder, "two") == results);
    CHECK(summary_of(folder, "two")["threads"] == 1);
    CHECK(summary_of(folder, "two")["parameters"] == summary_of(folder, "one")["parameters"]);
  }
  SUBCASE("killed in the middle and resumed, it gives the same numbers") {
    kill_at_step("cifar", command(folder, "killed", {"--threads", "1"}), folder / "killed/lr=0.1-k=2-seed0", 3);
    const Finished end = run_child("cifar", {"--resume", (folder / "killed").string()});
    INFO(end.error);
    REQUIRE(end.code == 0);
    CHECK(results_of(folder, "killed") == results);
  }
}

TEST_CASE("--find-lr prints two rates and trains nothing further, the same with --jobs") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const auto find = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> all = {"--data",      (folder / "data").string(),
                                    "--out",       (folder / out).string(),
                                    "--model",     "convnet",
                                    "--batch",     "32",
                                    "--optimizer", "momentum(lr=0.1, momentum=0.9)",
                                    "--seed",      "0",
                                    "--seed",      "1",
                                    "--find-lr",   "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    const Finished found = run_child("cifar", all);
    INFO(found.error);
    REQUIRE(found.code == 0);
    CHECK_FALSE(std::filesystem::exists(folder / out / "momentum-seed0/model.safetensors"));
    return found.output.substr(found.output.find("learning rates"));
  };
  const std::string one = find("one", {"--epochs", "50", "--threads", "1"}),
                    two = find("two", {"--epochs", "50", "--threads", "2", "--jobs", "2"});
  CHECK(one.find("steepest fall") != std::string::npos);
  CHECK(one.substr(0, one.find("written")) == two.substr(0, two.find("written")));
  const std::string few =
      find("few", {"--threads", "1", "--epochs", "1"});  // the rates do not depend on the data's length
  CHECK(one.substr(0, one.find("written")) == few.substr(0, few.find("written")));
  const Finished short_one = run_child("cifar", {"--data", (folder / "data").string(), "--find-lr", "--steps", "9"});
  CHECK(short_one.last_error_line() == "--find-lr: 9 steps are too few: at least 10 are needed");
}
