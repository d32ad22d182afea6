// TANDEM_TRACE: a run says how its weights move and stays the same; a run that was killed is repeated to any step, and
// says what an uninterrupted one said.
#include <doctest/doctest.h>

#include <stdlib.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/core/io/safetensors.h>
#include <tandem/train/replay.h>

#include "core/temporary_folder.h"
#include "environment_scope.h"
#include "own_training.h"

using namespace tandem;
using namespace tandem::test;
using Json = nlohmann::json;

namespace {

const std::string kRun = "lookahead-adam-seed3";
const std::vector<std::string> kOptions = {"--seed", "3", "--checkpoint-every", "1"};

std::vector<std::string> with_out(const TemporaryFolder& folder, const std::string& out) {
  std::vector<std::string> all = kOptions;
  all.insert(all.end(), {"--out", (folder / out).string()});
  return all;
}

/// All weights of the model.
std::vector<train::TracedWeight> all_weights() {
  std::vector<train::TracedWeight> all;
  for (std::int64_t o = 0; o < 8; ++o) {
    for (std::int64_t i = 0; i < 4; ++i) all.push_back({"0.weight", {o, i}});
    all.push_back({"0.bias", {o}});
    all.push_back({"2.weight", {0, o}});
  }
  all.push_back({"2.bias", {0}});
  return all;
}

const std::vector<train::TracedWeight> kWeights = {{"0.weight", {5, 2}}, {"2.bias", {0}}};

Json read(const std::filesystem::path& path) { return Json::parse(read_file(path)); }

/// Repeats a run in this process, as Replay::run does in one of its own.
Json repeat(train::Replay& replay, train::TraceRequest request) {
  request.out = replay.file("trace.json");
  const train::ProcessOptions process = replay.prepare(request);
  const EnvironmentScope scope(process.environment);
  const int code = own_training({process.command.begin() + 1, process.command.end()});
  REQUIRE(code == 0);
  return read(request.out);
}

void check_error(const std::function<void()>& f, const std::string& message) {
  std::string what;
  try {
    f();
  } catch (const Error& error) {
    what = error.what();
  }
  CHECK(what == message);
}

}  // namespace

TEST_CASE("a traced run explains the chosen steps to the last bit, and stays the same") {
  const TemporaryFolder folder;
  REQUIRE(own_training(with_out(folder, "plain")) == 0);
  train::write_trace_request(folder / "request.json",
                             {.run = kRun, .steps = {4, 9}, .weights = kWeights, .out = folder / "trace.json"});
  {
    const EnvironmentScope scope({{train::kTraceVariable, (folder / "request.json").string()}});
    REQUIRE(own_training(with_out(folder, "traced")) == 0);
  }
  for (const char* file : {"model.safetensors", "metrics.csv", "steps.csv"})
    CHECK(read_file(folder / "plain" / kRun / file) == read_file(folder / "traced" / kRun / file));
  const Json trace = read(folder / "trace.json");
  REQUIRE(trace["steps"].size() == 2);
  for (const Json& step : trace["steps"])
    for (const Json& weight : step["weights"]) {
      CHECK(weight["is_exact"] == true);
      CHECK(weight["step"] == step["step"]);
    }
  const Json& sync = trace["steps"][0]["weights"][0];  // k is 4
  CHECK(sync["parameter"] == "0.weight");
  CHECK(sync["index"] == Json({5, 2}));
  std::vector<std::string> formulas;
  for (const Json& line : sync["lines"]) formulas.push_back(line["formula"]);
  CHECK(std::count(formulas.begin(), formulas.end(), "pull") == 1);
  CHECK(trace["steps"][1]["weights"][1]["text"].get<std::string>().find("as the optimizer has it") !=
        std::string::npos);
}

TEST_CASE("a path: the weights after chosen steps, and at a sync before the pull, of a run that stays the same") {
  const TemporaryFolder folder;
  REQUIRE(own_training(with_out(folder, "plain")) == 0);
  std::filesystem::create_directories(folder / "path");
  train::write_trace_request(folder / "request.json",
                             {.run = kRun, .path_steps = {0, 3, 4, 6}, .path = folder / "path"});
  {
    const EnvironmentScope scope({{train::kTraceVariable, (folder / "request.json").string()}});
    REQUIRE(own_training(with_out(folder, "traced")) == 0);
  }
  CHECK(read_file(folder / "plain" / kRun / "model.safetensors") ==
        read_file(folder / "traced" / kRun / "model.safetensors"));
  const auto weight = [&](std::int64_t step, bool is_before_pull) {
    const Safetensors file = load_safetensors(train::path_file(folder / "path", step, is_before_pull));
    REQUIRE(file.find("0.weight") != nullptr);
    return file.find("0.weight")->to_vector<float>();
  };
  for (const std::int64_t step : {0, 3, 6})
    CHECK_FALSE(std::filesystem::exists(train::path_file(folder / "path", step, true)));
  const auto begin = weight(0, false), fast = weight(4, true), slow = weight(4, false);  // k is 4, alpha 0.5
  CHECK(begin != fast);
  for (std::size_t i = 0; i < begin.size(); ++i)
    CHECK(slow[i] == doctest::Approx(0.5 * (begin[i] + fast[i])).epsilon(1e-5));
  // Repeated from a checkpoint, the same.
  std::filesystem::create_directories(folder / "again");
  train::Replay replay(train::find_run(folder / "plain", "test"), "own_training");
  const train::ProcessOptions process = replay.prepare({.path_steps = {3, 4, 6}, .path = folder / "again"});
  const EnvironmentScope scope(process.environment);
  REQUIRE(own_training({process.command.begin() + 1, process.command.end()}) == 0);
  for (const char* file : {"3.safetensors", "4.safetensors", "4-fast.safetensors", "6.safetensors"})
    CHECK(read_file(folder / "path" / file) == read_file(folder / "again" / file));
}

TEST_CASE("a run that was stopped twice, repeated to any step, says what an uninterrupted one said") {
  const TemporaryFolder folder;
  std::vector<std::int64_t> steps;
  for (std::int64_t step = 1; step <= 15; ++step) steps.push_back(step);
  train::write_trace_request(folder / "request.json",
                             {.run = kRun, .steps = steps, .weights = kWeights, .out = folder / "trace.json"});
  {
    const EnvironmentScope scope({{train::kTraceVariable, (folder / "request.json").string()}});
    REQUIRE(own_training(with_out(folder, "whole")) == 0);
  }
  const Json expected = read(folder / "trace.json")["steps"];
  const std::string killed = (folder / "killed").string();
  CHECK_THROWS_AS(own_training(with_out(folder, "killed"), {.throw_after = 6}), std::runtime_error);
  CHECK_THROWS_AS(own_training({"--resume", killed}, {.throw_after = 5}), std::runtime_error);
  const auto check_all = [&](std::int64_t last, std::int64_t from) {
    const train::RunReference run = train::find_run(killed, "test");
    CHECK(train::last_step(run) == last);
    const int files = folder.count();
    for (std::int64_t step = 1; step <= last; ++step) {
      CAPTURE(step);
      train::Replay replay(run, "unused");
      const Json trace = repeat(replay, {.steps = {step}, .weights = kWeights});
      CHECK(trace["steps"][0] == expected[static_cast<std::size_t>(step - 1)]);
      CHECK(replay.from() == (step > from ? std::min(step - 1, last) : 0));
    }
    CHECK(folder.count() == files);
  };
  check_all(11, 10);  // of checkpoints there are the last and the one before
  REQUIRE(own_training({"--resume", killed}) == 0);
  check_all(15, 14);
}

TEST_CASE("the weight that a step moves most, of all and of a parameter; the state before is gone on from") {
  const TemporaryFolder folder;
  REQUIRE(own_training(with_out(folder, "run")) == 0);
  const train::RunReference run = train::find_run(folder / "run" / kRun, "test");
  train::Replay replay(run, "unused");
  const auto largest = [&](const std::string& of) {
    const Json trace = repeat(replay, {.steps = {7}, .weights = all_weights(), .largest = true, .largest_of = of});
    double most = 0;
    Json found;
    for (const Json& weight : trace["steps"][0]["weights"]) {
      if (!of.empty() && weight["parameter"] != of) continue;
      const double update = std::abs(weight["after"].get<double>() - weight["before"].get<double>());
      if (update > most) most = update, found = weight;
    }
    CHECK(trace["largest"]["update"] == most);
    CHECK(trace["largest"]["parameter"] == found["parameter"]);
    CHECK(trace["largest"]["index"] == found["index"]);
  };
  largest("");
  largest("0.bias");
  const Json once = repeat(replay, {.steps = {7, 8}, .weights = kWeights, .save_at = 6, .save = replay.file("state")});
  CHECK(replay.from() == 0);
  CHECK(load_checkpoint(replay.file("state")).number("step") == 6);
  replay.use(replay.file("state"));
  CHECK(repeat(replay, {.steps = {7, 8}, .weights = kWeights}) == once);
  CHECK(replay.from() == 6);
}

TEST_CASE("what cannot be repeated is said before it is tried") {
  const TemporaryFolder folder;
  std::vector<std::string> options = with_out(folder, "run");
  options.insert(options.end(), {"--optimizer", "sgd(lr=0.01)", "--optimizer", "wild=sgd(lr=1e30)"});
  REQUIRE(own_training(options) == 0);
  const std::string out = (folder / "run").string();
  check_error([&] { train::find_run(folder / "nothing", "explain"); },
              "explain: " + (folder / "nothing").string() +
                  " is not a run: it is not there; name the folder of a run: OUT/NAME");
  check_error([&] { train::find_run(folder.path(), "explain"); },
              "explain: " + folder.path().string() +
                  " is not a run: no manifest.json lies there or above; name the folder of a run: OUT/NAME");
  check_error([&] { train::find_run(out, "explain"); },
              "explain: " + out + " holds 2 runs: sgd-seed3, wild-seed3; name one: " + out + "/sgd-seed3");
  check_error(
      [&] { train::find_run(out + "/sdg-seed3", "explain"); },
      "explain: " + out + " has no run \"sdg-seed3\": it has sgd-seed3, wild-seed3; did you mean \"sgd-seed3\"?");
  const train::RunReference sgd = train::find_run(out + "/sgd-seed3/", "explain");
  train::check_step(sgd, 15, "--step");
  check_error([&] { train::check_step(sgd, 16, "--step"); },
              "--step: the run has no step 16: sgd-seed3 has the steps 1 to 15");
  check_error([&] { train::check_step(sgd, 0, "--step"); },
              "--step: the run has no step 0: sgd-seed3 has the steps 1 to 15");
  const train::RunReference wild = train::find_run(out + "/wild-seed3", "explain");
  const std::int64_t last = train::last_step(wild);
  REQUIRE(last < 15);
  std::string what;
  try {
    train::check_step(wild, 15, "--step");
  } catch (const UsageError& error) {
    what = error.what();
  }
  CHECK(what.find("--step: the run has no step 15: wild-seed3 diverged at step " + std::to_string(last)) == 0);
  {
    train::Replay replay(wild, "unused");
    const Json trace = repeat(replay, {.steps = {last}, .weights = kWeights});
    CHECK(trace["steps"].size() == 1);  // the step itself can be looked at
  }
  train::Replay replay(sgd, "unused");
  check_error(
      [&] {
        repeat(replay, {.steps = {15}, .weights = {{"0.weihgt", {0, 0}}}});
      },
      "optimizer: no parameter \"0.weihgt\": 4 are bound; did you mean \"0.weight\"?");
  check_error(
      [&] {
        repeat(replay, {.steps = {15}, .weights = {{"0.weight", {0, 4}}}});
      },
      "explain: index 4 of dim 1 is outside \"0.weight\": [8, 4]");
  check_error([&] { repeat(replay, {.steps = {15}, .largest = true, .largest_of = "0.weihgt"}); },
              "optimizer: no parameter \"0.weihgt\": 4 are trained; did you mean \"0.weight\"?");
  train::Manifest manifest = sgd.manifest;
  manifest.program = "gone", manifest.executable = "/nowhere/gone";
  check_error(
      [&] { train::program_of(manifest, "/here"); },
      "gone: the program that made the run is not found: neither /nowhere/gone nor /here/gone; --program names it");
  write_file(folder / "request.json", "{\"steps\": 3}");
  const EnvironmentScope scope({{train::kTraceVariable, (folder / "request.json").string()}});
  CHECK_THROWS_WITH_AS(own_training(with_out(folder, "other")), doctest::Contains("not a request for TANDEM_TRACE"),
                       Error);
}
