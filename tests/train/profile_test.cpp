// --profile: what is written and shown, that a training is the same with it, and what its sentences look for.
#include <tandem/train/profile_log.h>

#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/report/profile.h>

#include "core/temporary_folder.h"
#include "own_training.h"

using namespace tandem;
using namespace tandem::test;
using profile::Phase;

namespace {

std::filesystem::path only_run(const std::filesystem::path& folder) {
  return folder / train::read_manifest(folder).planned.at(0).name;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The sentences about a report, each on a line.
std::string said(const profile::Report& report) {
  std::string all;
  for (const std::string& sentence : train::findings(report, {.operations = 100e9, .bytes = 10e9}))
    all += sentence + "\n";
  return all;
}

/// Ten steps of a second each, in one kernel that reaches the roof.
profile::Report usual() {
  profile::Report report;
  report.steps = 10;
  report.warm_up_steps = 2;
  report.threads = 2;
  report.processors = {.count = 2, .wall = 10, .own = 20};
  report.phases[static_cast<std::size_t>(Phase::forward)] = {.wall = 10, .cpu = 19, .kernels = 9.8};
  report.rows = {{.phase = Phase::forward,
                  .layer = "conv1",
                  .op = "conv2d",
                  .kernel = "conv2d",
                  .implementation = "oneDNN brgconv:avx512_core",
                  .calls = 10,
                  .seconds = 9.8,
                  .operations = 900e9,
                  .repacks = 10,
                  .repack_seconds = 0.01}};
  return report;
}

}  // namespace

TEST_CASE("--profile writes a profile and a trace, and the training stays what it is") {
  const TemporaryFolder folder;
  const auto plain = folder.path() / "plain", profiled = folder.path() / "profiled";
  REQUIRE(own_training({"--out", plain.string(), "--threads", "1"}) == 0);
  REQUIRE(own_training({"--out", profiled.string(), "--threads", "1", "--profile"}) == 0);
  CHECK(!std::filesystem::exists(only_run(plain) / train::kProfileFile));
  CHECK(read_file(only_run(plain) / "steps.csv") == read_file(only_run(profiled) / "steps.csv"));
  CHECK(read_file(only_run(plain) / "model.safetensors") == read_file(only_run(profiled) / "model.safetensors"));

  const std::string text = read_file(only_run(profiled) / train::kProfileFile);
  const auto json = nlohmann::json::parse(text);
  CHECK(json.at("steps") == 3 * kOwnBatches - profile::kWarmUpSteps);
  CHECK(json.at("roof").at("gflops") > 0.1);
  double kernels = 0, wall = 0;
  bool has_update = false, has_evaluation = false, has_layer = false;
  for (const auto& row : json.at("rows")) {
    kernels += row.at("seconds").get<double>();
    has_update |= row.at("phase") == "update" && row.at("kernel") == "update" && row.at("bytes") > 0;
    has_evaluation |= row.at("phase") == "evaluation" && row.at("layer") == "0";
    has_layer |= row.at("phase") == "backward" && row.at("layer") == "2" && row.at("op") == "linear";
  }
  for (const auto& phase : json.at("phases")) wall += phase.at("wall").get<double>();
  CHECK(has_update);
  CHECK(has_evaluation);
  CHECK(has_layer);
  CHECK(kernels <= wall);
  CHECK(json.at("seconds") == doctest::Approx(wall));

  const auto trace = nlohmann::json::parse(read_file(only_run(profiled) / train::kTraceFile));
  int steps = 0;
  bool has_kernel = false;
  for (const auto& event : trace.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    CHECK(event.at("dur") >= 0);
    steps += event.at("cat") == "step";
    has_kernel |= event.at("cat") == "kernel" && event.at("name") == "linear" && event.at("args").at("layer") == "0";
  }
  CHECK(steps == 3 * kOwnBatches);
  CHECK(has_kernel);

  const std::string shown = report::profile_text(text, "profile.json");
  for (const char* part : {"Phases, 13 steps", "forward", "update", "Layers and ops", "linear", "Roof, measured:"})
    CHECK_MESSAGE(contains(shown, part), part);
  CHECK(contains(read_file(profiled / "report.html"), "own: where the time went"));
  CHECK(!contains(read_file(plain / "report.html"), "where the time went"));
  REQUIRE(own_training({"--out", profiled.string(), "--overwrite", "--threads", "1"}) == 0);
  CHECK(!std::filesystem::exists(only_run(profiled) / train::kTraceFile));
}

TEST_CASE("what --instruments cost is a phase of its own") {
  const TemporaryFolder folder;
  const auto out = folder.path() / "run";
  REQUIRE(own_training({"--out", out.string(), "--threads", "1", "--profile", "--instruments", "2"}) == 0);
  const auto json = nlohmann::json::parse(read_file(only_run(out) / train::kProfileFile));
  double instruments = 0;
  for (const auto& phase : json.at("phases"))
    if (phase.at("phase") == "instruments") instruments = phase.at("wall");
  CHECK(instruments > 0);
}

TEST_CASE("a usual profile needs no word, an unusual one gets its own") {
  CHECK(said(usual()) == "");
  profile::Report report = usual();
  report.rows[0].implementation = "oneDNN jit:ref:any";
  CHECK(said(report) ==
        "Reference implementations, which are written to be read, compute: 98.0 % of the time, most of "
        "it conv2d of conv1 (oneDNN jit:ref:any).\n");
  report.rows[0].implementation = "prefer:refined";  // no word of its own
  CHECK(said(report) == "");

  report = usual();
  report.rows[0].implementation = "OpenBLAS sgemm Prescott + plain";
  if (instruction_set() != "x86-64")
    CHECK(said(report) ==
          "OpenBLAS does not know this processor and computes without its vectors: 98.0 % of the time, "
          "most of it conv2d of conv1 (OpenBLAS sgemm Prescott + plain).\n");
  report.rows[0].implementation = "OpenBLAS sgemm SkylakeX";
  CHECK(said(report) == "");

  report = usual();
  report.rows[0].repacks = 20;
  report.rows[0].repack_seconds = 0.5;
  CHECK(said(report) ==
        "conv2d of conv1 repacks its weights 2.0 times a step; they change once.\n"
        "Weights are repacked in every step: 50.00 ms, 5.0 % of the time, 2.0 copies a step.\n");
  report = usual();
  report.rows[0].phase = Phase::evaluation;
  CHECK(contains(said(report), "repacks its weights in every call of the evaluation"));

  report = usual();
  report.primitives = report.rows[0].primitives = 30;
  report.allocations = 40;
  CHECK(said(report) ==
        "oneDNN's primitives are made anew all the time, 30 after the warm-up, most of them by conv2d of "
        "conv1: shapes change from step to step.\n"
        "The system is asked for memory all the time, 40 times after the warm-up.\n");
  report.primitives = 12;  // a last batch of another size
  report.allocations = 12;
  CHECK(said(report) == "");

  report = usual();
  report.processors = {.count = 2, .wall = 10, .own = 11, .others = 9, .preemptions = 1000};
  CHECK(said(report) ==
        "A neighbour: other processes had 0.90 of 2 processors meanwhile, this one 1.10, and its threads "
        "had to make room 100 times a second: times are longer than the work.\n");
  report.processors = {.count = 8, .wall = 10, .own = 20, .others = 9};  // there is room for both
  CHECK(said(report) == "");
  report.processors = {.count = 2, .wall = 10, .own = 19, .stolen = 1};
  CHECK(said(report) == "A neighbour: the host of this virtual machine gave 0.10 of its 2 processors to others.\n");
  report = usual();
  report.threads = 3;
  CHECK(contains(said(report), "3 threads share 2 processors"));

  report = usual();
  report.phases[static_cast<std::size_t>(Phase::forward)] = {.wall = 10, .cpu = 11, .kernels = 6};
  CHECK(said(report) ==
        "40 % of forward, backward and update pass outside of kernels: the work is small beside what a "
        "call costs.\nOf 2 threads 1.1 were busy while training.\n");
  report = usual();
  report.phases[static_cast<std::size_t>(Phase::loading)] = {.wall = 2};
  CHECK(said(report) == "loading takes 17 % of the time.\n");
  report = usual();
  report.rows[0].operations = 98e9;
  CHECK(said(report) == "conv2d of conv1 takes 98.0 % of the time and reaches 10 % of the roof.\n");
}

TEST_CASE("a profile that is none is an error that names the file") {
  CHECK_THROWS_WITH_AS(report::profile_text("{}", "a/profile.json"),
                       doctest::Contains("a/profile.json: is not a profile"), Error);
  CHECK_THROWS_WITH_AS(report::profile_text(R"({"tandem": "profile 9"})", "p"),
                       doctest::Contains("p: is of another version of Tandem"), Error);
}
