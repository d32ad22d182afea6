// Comparisons, called in this process: resumed after every step, to the same bits; diverged, stopped, extended; what is
// on record; what is refused before the first step.
#include <tandem/train/comparison.h>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include <tandem/core/checkpoint.h>
#include <tandem/core/error.h>

#include "core/temporary_folder.h"
#include "own_training.h"

using namespace tandem;
using namespace tandem::test;

namespace {

nlohmann::json run_json(const std::filesystem::path& folder, const std::string& run) {
  return nlohmann::json::parse(read_file(folder / run / "run.json"));
}

std::string only_run(const std::filesystem::path& folder) { return train::read_manifest(folder).planned.at(0).name; }

int lines_of(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("a run that stops after any step goes on to the same bits, models, logs and events") {
  const TemporaryFolder folder;
  const std::string whole = (folder / "whole").string();
  REQUIRE(own_training({"--out", whole, "--checkpoint-every", "1", "--schedule", "cosine(warmup=0.2)"}) == 0);
  const std::string run = only_run(whole);
  const Checkpoint expected = load_checkpoint(folder / "whole" / run / "checkpoint.safetensors");
  CHECK(expected.number("step") == 15);
  CHECK(find_array(expected.arrays, "optimizer/groups/0/slow/0.weight") != nullptr);
  CHECK(subtree(expected.arrays, "random/").size() > 0);
  for (std::int64_t stop = 1; stop <= 14; ++stop) {
    CAPTURE(stop);
    const std::string name = (folder / ("stopped" + std::to_string(stop))).string();
    CHECK_THROWS_WITH_AS(own_training({"--out", name, "--checkpoint-every", "1", "--schedule", "cosine(warmup=0.2)"},
                                      {.throw_after = stop}),
                         "stopped", std::runtime_error);
    REQUIRE(own_training({"--resume", name}) == 0);
    const std::filesystem::path there = std::filesystem::path(name) / run, here = folder / "whole" / run;
    const Checkpoint found = load_checkpoint(there / "checkpoint.safetensors");
    CHECK(to_string(compare_trees(expected.arrays, found.arrays)) == "equal");
    for (const char* file : {"model.safetensors", "metrics.csv", "steps.csv"})
      CHECK(read_file(there / file) == read_file(here / file));
  }
}

TEST_CASE("a run that diverges is a result: recorded, and the others go on") {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  CHECK(own_training({"--out", out, "--optimizer", "sgd(lr=1e30)", "--optimizer", "sgd(lr=0.01)"}) == 0);
  const nlohmann::json summary = nlohmann::json::parse(read_file(folder / "run/summary.json"));
  REQUIRE(summary["runs"].size() == 2);
  const auto& bad = summary["runs"][0];
  CHECK(bad["status"] == "diverged");
  const std::string reason = bad["diverged"]["reason"];
  CHECK(reason.find(" is ") != std::string::npos);
  CHECK(reason.find("layer \"") != std::string::npos);
  CHECK(reason.find("is the first whose output is not finite") != std::string::npos);
  CHECK(summary["runs"][1]["status"] == "finished");
  CHECK_FALSE(std::filesystem::exists(folder / "run" / bad["run"].get<std::string>() / "model.safetensors"));
  CHECK(std::filesystem::exists(folder / "run" / summary["runs"][1]["run"].get<std::string>() / "model.safetensors"));
  const std::string steps = read_file(folder / "run" / bad["run"].get<std::string>() / "steps.csv");
  CHECK(std::count(steps.begin(), steps.end(), '\n') == bad["steps"].get<int>() + 1);

  SUBCASE("a resume does not run it again") {
    const std::string before = read_file(folder / "run/summary.json");
    CHECK(own_training({"--resume", out}) == 0);
    CHECK(read_file(folder / "run/summary.json") == before);
  }
}

TEST_CASE("every run diverged: exit code 3, also before anything was evaluated") {
  const TemporaryFolder folder;
  CHECK(own_training({"--out", (folder / "a").string(), "--optimizer", "sgd(lr=1e30)"}) == train::kExitDiverged);
  CHECK(own_training({"--out", (folder / "b").string(), "--optimizer", "sgd(lr=1e30)", "--evaluate-every", "100"}) ==
        train::kExitDiverged);
  const auto record = run_json(folder / "b", only_run(folder / "b"));
  const std::string reason = record["diverged"]["reason"];
  CHECK(reason.find("train_loss is ") == 0);
  CHECK(reason.find("is the first whose output is not finite") != std::string::npos);
  CHECK(std::filesystem::exists(folder / "b/report.html"));
}

TEST_CASE("an infinite metric is a number, and the run goes on; a metric that is nan ends it as diverged") {
  const TemporaryFolder folder;
  const auto measured = [](double value) {
    return [value](std::int64_t step, double loss) { return step == 5 ? value : loss; };
  };
  REQUIRE(own_training({"--out", (folder / "inf").string()},
                       {.measured = measured(std::numeric_limits<double>::infinity())}) == 0);
  CHECK(run_json(folder / "inf", only_run(folder / "inf"))["status"] == "finished");
  CHECK(read_file(folder / "inf/metrics.csv").find(",inf\n") != std::string::npos);
  CHECK(own_training({"--out", (folder / "nan").string()}, {.measured = measured(std::nan(""))}) == 3);
  const auto record = run_json(folder / "nan", only_run(folder / "nan"));
  CHECK(record["status"] == "diverged");
  CHECK(record["step"] == 5);
}

TEST_CASE("evaluations within an epoch, and at its end; epoch is a fraction") {
  const TemporaryFolder folder;
  REQUIRE(own_training({"--out", (folder / "run").string(), "--evaluate-every", "2"}) == 0);
  const std::string text = read_file(folder / "run" / only_run(folder / "run") / "metrics.csv");
  std::vector<std::string> found;
  for (std::size_t begin = text.find('\n') + 1; begin < text.size(); begin = text.find('\n', begin) + 1)
    found.push_back(text.substr(begin, text.find(',', text.find(',', begin) + 1) - begin));
  CHECK(found ==
        std::vector<std::string>{"2,0.4", "4,0.8", "5,1", "6,1.2", "8,1.6", "10,2", "12,2.4", "14,2.8", "15,3"});
}

TEST_CASE("evaluating more often changes no bit of what is trained") {
  const TemporaryFolder folder;
  REQUIRE(own_training({"--out", (folder / "seldom").string(), "--evaluate-every", "100"}) == 0);
  REQUIRE(own_training({"--out", (folder / "often").string(), "--evaluate-every", "1"}) == 0);
  const std::string run = only_run(folder / "often");
  CHECK(read_file(folder / "seldom" / run / "model.safetensors") ==
        read_file(folder / "often" / run / "model.safetensors"));
  CHECK(lines_of(folder / "seldom" / run / "metrics.csv") == 1 + 3);
  CHECK(lines_of(folder / "often" / run / "metrics.csv") == 1 + 15);
}

TEST_CASE("a line a step, with norms, the distance of fast and slow weights, and the pulls") {
  const TemporaryFolder folder;
  REQUIRE(own_training({"--out", (folder / "run").string()}) == 0);
  const std::string text = read_file(folder / "run" / only_run(folder / "run") / "steps.csv");
  CHECK(text.rfind("step,loss,lr,gradient_norm,update_norm,distance,alpha,synced\n", 0) == 0);
  CHECK(lines_of(folder / "run" / only_run(folder / "run") / "steps.csv") == 1 + 15);
  int syncs = 0;
  for (std::size_t begin = text.find('\n') + 1; begin < text.size(); begin = text.find('\n', begin) + 1) {
    const std::string line = text.substr(begin, text.find('\n', begin) - begin);
    const bool is_synced = line.back() == '1';
    syncs += is_synced ? 1 : 0;
    CHECK((line.find(",0.5,1") != std::string::npos) == is_synced);
    CHECK(line.find(",0.01,") != std::string::npos);
  }
  CHECK(syncs == 3);  // k = 4, 15 steps
}

TEST_CASE("--patience ends a run after evaluations without a better one, and keeps the best weights") {
  const TemporaryFolder folder;
  const auto measured = [](std::int64_t step, double) { return std::abs(static_cast<double>(step) - 4); };
  REQUIRE(own_training({"--out", (folder / "run").string(), "--evaluate-every", "1", "--patience", "3", "--optimizer",
                        "sgd(lr=0.01)"},
                       {.measured = measured}) == 0);
  const std::string run = only_run(folder / "run");
  const auto record = run_json(folder / "run", run);
  CHECK(record["status"] == "stopped");
  CHECK(record["step"] == 7);
  CHECK(record["best"]["test_loss"] == 0);
  CHECK(read_file(folder / "run" / run / "best.safetensors") != read_file(folder / "run" / run / "model.safetensors"));
}

TEST_CASE("a finished run goes on with more epochs, as if it had been longer from the beginning") {
  const TemporaryFolder folder;
  REQUIRE(own_training({"--out", (folder / "long").string(), "--epochs", "5"}) == 0);
  REQUIRE(own_training({"--out", (folder / "short").string(), "--epochs", "3", "--steps", "12"}) == 0);
  const std::string run = only_run(folder / "long");
  CHECK(run_json(folder / "short", run)["step"] == 12);
  REQUIRE(own_training({"--resume", (folder / "short").string(), "--epochs", "5", "--steps", "0"}) == 0);
  CHECK(run_json(folder / "short", run)["step"] == 25);
  CHECK(read_file(folder / "long" / run / "model.safetensors") ==
        read_file(folder / "short" / run / "model.safetensors"));
  SUBCASE("but not where its schedule has ended") {
    REQUIRE(own_training({"--out", (folder / "cosine").string(), "--schedule", "cosine(warmup=0.1)"}) == 0);
    CHECK_THROWS_AS(own_training({"--resume", (folder / "cosine").string(), "--epochs", "5"}), UsageError);
  }
  SUBCASE("and not shorter") {
    CHECK_THROWS_AS(own_training({"--resume", (folder / "long").string(), "--epochs", "4"}), UsageError);
  }
}

TEST_CASE("a program that ends its loop early, or does not measure what is compared, is told so") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(own_training({"--out", (folder / "run").string()}, {.watched = "test_accuracy"}),
                       doctest::Contains("the metric \"test_accuracy\" is missing"), Error);
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
}

TEST_CASE("a damaged checkpoint: the one before it is taken, with a warning, to the same bits") {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  REQUIRE(own_training({"--out", (folder / "whole").string(), "--checkpoint-every", "1"}) == 0);
  CHECK_THROWS_AS(own_training({"--out", out, "--checkpoint-every", "1"}, {.throw_after = 8}), std::runtime_error);
  const std::string run = only_run(out);
  const auto path = folder / "run" / run / "checkpoint.safetensors";
  const std::string content = read_file(path);
  write_file(path, content.substr(0, content.size() - 100));
  REQUIRE(own_training({"--resume", out}) == 0);
  CHECK(read_file(folder / "run" / run / "model.safetensors") ==
        read_file(folder / "whole" / run / "model.safetensors"));
}

TEST_CASE("logs that are shorter than the checkpoint says are no reason to refuse its weights") {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  REQUIRE(own_training({"--out", (folder / "whole").string(), "--checkpoint-every", "1"}) == 0);
  CHECK_THROWS_AS(own_training({"--out", out, "--checkpoint-every", "1"}, {.throw_after = 8}), std::runtime_error);
  const std::string run = only_run(out);
  std::filesystem::resize_file(folder / "run" / run / "steps.csv", 100);
  std::filesystem::remove(folder / "run" / run / "metrics.csv");
  REQUIRE(own_training({"--resume", out}) == 0);
  CHECK(read_file(folder / "run" / run / "model.safetensors") ==
        read_file(folder / "whole" / run / "model.safetensors"));
}
