// The program benchmark: its line of JSON, its refusals, its profile; and the script that prints the table of README.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "examples/child_process.h"

using namespace tandem::test;

TEST_CASE("a workload prints one line of JSON") {
  const Finished done = run_child("benchmark", {"mlp", "--steps", "1", "--threads", "1"});
  REQUIRE(done.code == 0);
  const auto json = nlohmann::json::parse(done.output);
  CHECK(json.at("workload") == "mlp");
  CHECK(json.at("parameters") == 65);
  CHECK(json.at("threads") == 1);
  CHECK(json.at("min_ms") > 0);
  CHECK(json.at("processors_of_others") >= 0);
  CHECK(json.at("median_ms") >= json.at("min_ms"));
  CHECK(done.error == "");
}

TEST_CASE("the workloads have the sizes that other frameworks train") {
  const auto parameters = [](const std::string& workload) {
    const Finished done = run_child("benchmark", {workload, "--steps", "1", "--threads", "1"});
    INFO(done.error);
    REQUIRE(done.code == 0);
    return nlohmann::json::parse(done.output).at("parameters").get<int>();
  };
  CHECK(parameters("autoencoder") == 258723);
  CHECK(parameters("mlp_784") == 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10);
  CHECK(parameters("lenet") == 61706);
}

TEST_CASE("a rule of one's choice, and a profile beside the line") {
  const Finished done = run_child("benchmark", {"mlp_784", "--steps", "3", "--threads", "1", "--profile", "--optimizer",
                                                "lookahead(sgd(lr=0.01), k=2)"});
  INFO(done.error);
  REQUIRE(done.code == 0);
  CHECK(nlohmann::json::parse(done.output).at("workload") == "mlp_784");
  for (const char* part : {"Phases, 48 steps", "backward", "linear", "update", "Roof, measured"})
    CHECK_MESSAGE(done.error.find(part) != std::string::npos, part);
}

TEST_CASE("what benchmark refuses, in one line") {
  const auto refused = [](const std::vector<std::string>& arguments, const std::string& part) {
    const Finished done = run_child("benchmark", arguments);
    INFO(done.error);
    CHECK(done.code == 2);
    CHECK(done.output == "");
    CHECK(done.error.find(part) != std::string::npos);
    CHECK(std::count(done.error.begin(), done.error.end(), '\n') == 1);
  };
  refused({"resnet19"}, "resnet19");
  refused({"mlp", "--threads", "2000"}, "--threads");
  refused({"mlp", "--optimizer", "sgdd(lr=1)"}, "sgdd");
  refused({}, "workload");
}
