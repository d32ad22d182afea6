// explain and --fork RUN@STEP of a whole program: a run that was killed twice is repeated by its own program and says,
// to the last bit, what an uninterrupted one said; the folder of the run stays as it is.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include <tandem/core/io/checkpoint.h>
#include <tandem/core/io/file.h>
#include <tandem/train/step_trace.h>
#include "examples/child_process.h"
#include "examples/kill_at_step.h"
#include "examples/tiny_cifar.h"
#include "examples/tiny_text.h"
#include "train/environment_scope.h"

using namespace tandem;
using namespace tandem::test;
using Json = nlohmann::json;

namespace {

const std::string kRun = "lookahead-momentum-seed3";
const std::string kRule = "lookahead(momentum(lr=0.02, momentum=0.9), k=4, alpha=0.5)";
const std::vector<std::int64_t> kSteps = {2, 12, 13, 16, 24};

/// 120 pictures in batches of 8: 15 steps an epoch, 150 steps.
std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out) {
  return {"--data",
          (folder / "data").string(),
          "--out",
          (folder / out).string(),
          "--epochs",
          "10",
          "--batch",
          "8",
          "--seed",
          "3",
          "--threads",
          "1",
          "--schedule",
          "constant",
          "--evaluate-every",
          "20",
          "--quiet",
          "--checkpoint-every",
          "2",
          "--optimizer",
          kRule};
}

/// Every file below a folder, with its content.
std::map<std::string, std::string> content_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) all[entry.path().string()] = read_file(entry.path());
  return all;
}

Finished explain(const TemporaryFolder& folder, std::vector<std::string> more) {
  more.insert(more.begin(), (folder / ("killed/" + kRun)).string());
  return run_child("explain", more);
}

}  // namespace

TEST_CASE("explain: what an uninterrupted run said, of a run that was killed twice") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const std::vector<train::TracedWeight> weights = {{"conv1.weight", {1, 2, 0, 1}}, {"conv1.weight", {3, 0, 2, 2}}};
  train::write_trace_request(folder / "request.json",
                             {.run = kRun, .steps = kSteps, .weights = weights, .out = folder / "trace.json"});
  {
    const EnvironmentScope scope({{train::kTraceVariable, (folder / "request.json").string()}});
    std::vector<std::string> arguments = command(folder, "whole");
    arguments.insert(arguments.end(), {"--steps", "24"});
    const Finished whole = run_child("cifar", arguments);
    INFO(whole.error);
    REQUIRE(whole.code == 0);
  }
  const Json trace = Json::parse(read_file(folder / "trace.json"));
  REQUIRE(trace["steps"].size() == kSteps.size());
  const std::vector<std::string> resume = {"--resume", (folder / "killed").string()};
  std::int64_t last = kill_at_step("cifar", command(folder, "killed"), folder / ("killed/" + kRun), 4);
  for (const std::int64_t step : {last + 4, std::int64_t{26}})
    last = kill_at_step("cifar", resume, folder / ("killed/" + kRun), step);
  const auto before = content_of(folder / "killed");

  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    CAPTURE(kSteps[i]);
    const Finished found = explain(folder, {"--step", std::to_string(kSteps[i]), "--parameter", "conv1.weight",
                                            "--index", "1,2,0,1", "--index", "3,0,2,2", "--json"});
    CHECK_MESSAGE(found.error.find("explain:") == std::string::npos, found.error);  // the small set is warned of
    REQUIRE(found.code == 0);
    CHECK(Json::parse(found.output) == trace["steps"][i]);
  }
  const Finished text = explain(folder, {"--step", "16", "--parameter", "conv1.weight", "--index", "1,2,0,1"});
  CHECK(text.code == 0);
  CHECK(text.output.find("cifar " + kRun +
                         ", repeated from the start\n\nconv1.weight[1, 2, 0, 1], step 16: lookahead(") == 0);
  CHECK(text.output.ends_with(trace["steps"][3]["weights"][0]["text"].get<std::string>()));
  CHECK(text.output.find("pull") != std::string::npos);

  const Finished page = explain(folder, {"--step", "12", "--largest", "--html", (folder / "update.html").string()});
  INFO(page.error);
  CHECK(page.code == 0);
  CHECK(page.output.find("written: " + (folder / "update.html").string()) != std::string::npos);
  const std::string html = read_file(folder / "update.html");
  for (int i = 8; i <= 16; ++i)
    CHECK(html.find("<th scope=\"row\">" + std::to_string(i) + "</th>") != std::string::npos);
  CHECK(html.find("as the optimizer has it") != std::string::npos);

  CHECK(explain(folder, {"--step", "151", "--largest"}).last_error_line() ==
        "--step: the run has no step 151: " + kRun + " has the steps 1 to " + std::to_string(last) + " so far, of 150");
  const Finished unknown = explain(folder, {"--step", "5", "--parameter", "conv1.weihgt", "--index", "0,0,0,0"});
  CHECK(unknown.code == 2);
  CHECK(unknown.last_error_line().find("no parameter \"conv1.weihgt\"") != std::string::npos);
  CHECK(unknown.last_error_line().ends_with("did you mean \"conv1.weight\"?"));
  CHECK(explain(folder, {"--step", "5", "--parameter", "conv1.weight", "--index", "0,0,0,7"}).last_error_line() ==
        "explain: index 7 of dim 3 is outside \"conv1.weight\": [16, 3, 3, 3]");
  CHECK(explain(folder, {"--step", "5", "--parameter", "conv1.weight", "--index", "a"}).last_error_line() ==
        "--index: \"a\" is no index; e.g. 0,0,1,1");
  CHECK(explain(folder, {"--step", "5"}).last_error_line() ==
        "explain: no weight is chosen; --parameter NAME --index I,J,..., or --largest");
  CHECK(explain(folder, {"--step", "5", "--largest", "--steps", "3"}).last_error_line() ==
        "--steps: is for --html; leave it out");
  CHECK(explain(folder, {"--step", "5", "--largest", "--program", "/nowhere/cifar"})
            .last_error_line()
            .find("the program cannot be started: /nowhere/cifar") != std::string::npos);

  // --fork RUN@STEP between checkpoints: the run's own further steps, and another rule.
  const Finished fork =
      run_child("cifar", {"--fork", (folder / ("killed/" + kRun)).string() + "@13", "--out", (folder / "fork").string(),
                          "--steps", "24", "--optimizer", "own=" + kRule, "--optimizer", "adam(lr=1e-3)"});
  INFO(fork.error);
  REQUIRE(fork.code == 0);
  CHECK(fork.output.find("fork       own-seed3 at step 13: taken: weights, buffers, random states, step count, ") !=
        std::string::npos);
  CHECK(fork.output.find("fork       adam-seed3 at step 13: taken: ") != std::string::npos);
  const std::string steps = read_file(folder / ("whole/" + kRun + "/steps.csv"));
  const std::string forked = read_file(folder / "fork/own-seed3/steps.csv");
  CHECK(forked.substr(forked.find("\n14,")) == steps.substr(steps.find("\n14,")));
  CHECK(read_file(folder / "fork/adam-seed3/steps.csv").find("\n24,") != std::string::npos);
  const Finished again = run_child("explain", {(folder / "fork/own-seed3").string(), "--step", "16", "--parameter",
                                               "conv1.weight", "--index", "1,2,0,1", "--json"});
  INFO(again.error);
  CHECK(Json::parse(again.output)["weights"][0] == trace["steps"][3]["weights"][0]);
  CHECK(run_child("explain", {(folder / "fork/own-seed3").string(), "--step", "13", "--largest"}).last_error_line() ==
        "--step: the run has no step 13: own-seed3 has the steps 14 to 24");
  CHECK(content_of(folder / "killed") == before);

  // Another loss than was recorded is a warning; other data are an error.
  std::string record = read_file(folder / ("killed/" + kRun + "/steps.csv"));
  const std::size_t at = record.find("\n5,") + 3;
  record.replace(at, record.find(',', at) - at, "77");
  write_file(folder / ("killed/" + kRun + "/steps.csv"), record);
  const Finished warned = explain(folder, {"--step", "5", "--largest"});
  CHECK(warned.code == 0);
  CHECK(warned.error.find("step 5 has the loss 77, repeated it has ") != std::string::npos);
  write_file(folder / "data/data_batch_1.bin", tiny_cifar_records(24, 77));
  const Finished other = explain(folder, {"--step", "5", "--largest"});
  CHECK(other.code == 1);
  CHECK(other.last_error_line().find((folder / "killed").string() + ": the training data are not those of this run") !=
        std::string::npos);
}

TEST_CASE("--fork and explain of a language model: the state of its cells goes on, too") {
  const TemporaryFolder folder;
  write_file(folder / "a.txt", tiny_text(60, 1));
  const std::string rule = "la=clip_norm(lookahead(adam(lr=4e-3), k=3, alpha=0.5), max=1)";
  const Finished whole =
      run_child("language_model", {"--data", (folder / "a.txt").string(), "--out", (folder / "whole").string(),
                                   "--model", "char-lstm", "--epochs", "3", "--batch", "8", "--bptt", "16", "--seed",
                                   "4", "--threads", "1", "--optimizer", rule});
  INFO(whole.error);
  REQUIRE(whole.code == 0);
  const std::string run = (folder / "whole/la-seed4").string();
  const std::int64_t steps = load_checkpoint(folder / "whole/la-seed4/checkpoint.safetensors").number("step");
  REQUIRE(steps % 3 == 0);
  const std::int64_t middle = steps / 3 + 2;  // two steps into the second epoch
  const Finished fork = run_child("language_model", {"--fork", run + "@" + std::to_string(middle), "--out",
                                                     (folder / "fork").string(), "--optimizer", rule, "--quiet"});
  INFO(fork.error);
  REQUIRE(fork.code == 0);
  const std::string a = read_file(folder / "whole/la-seed4/steps.csv"),
                    b = read_file(folder / "fork/la-seed4/steps.csv");
  const std::string mark = "\n" + std::to_string(middle + 1) + ",";
  CHECK(b.substr(b.find(mark)) == a.substr(a.find(mark)));
  CHECK(read_file(folder / "whole/la-seed4/model.safetensors") ==
        read_file(folder / "fork/la-seed4/model.safetensors"));
  const auto largest = [&](const std::string& of) {
    return run_child("explain", {of, "--step", std::to_string(middle + 3), "--largest", "--json"});
  };
  const Finished first = largest(run), second = largest((folder / "fork").string());
  INFO(first.error);
  CHECK(first.code == 0);
  CHECK(first.output == second.output);
  CHECK(Json::parse(first.output)["weights"][0]["is_exact"] == true);
}
