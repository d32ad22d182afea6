// Options that change what a run does: --accumulate, rules that want step(closure), --init, --freeze, --inner-steps.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/nn/model_file.h>
#include <tandem/train/comparison.h>

#include "core/temporary_folder.h"
#include "own_training.h"

using namespace tandem;
using namespace tandem::test;

namespace {

std::vector<std::string> run_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const train::PlannedRun& run : train::read_manifest(folder).planned) names.push_back(run.name);
  return names;
}

std::string only_run(const std::filesystem::path& folder) { return run_names(folder).at(0); }

/// A run that is stopped after every one of its steps, or most, goes on to the same bits.
void check_resumes(const std::vector<std::string>& options, std::int64_t steps) {
  const TemporaryFolder folder;
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), options.begin(), options.end());
    more.insert(more.end(), {"--checkpoint-every", "1"});
    return more;
  };
  REQUIRE(own_training(with({"--out", (folder / "whole").string()})) == 0);
  const std::string run = only_run(folder / "whole");
  const Checkpoint expected = load_checkpoint(folder / "whole" / run / "checkpoint.safetensors");
  CHECK(expected.number("step") == static_cast<double>(steps));
  for (std::int64_t stop = 1; stop < steps; ++stop) {
    CAPTURE(stop);
    const std::string name = (folder / ("stopped" + std::to_string(stop))).string();
    CHECK_THROWS_AS(own_training(with({"--out", name}), {.throw_after = stop}), std::runtime_error);
    REQUIRE(own_training({"--resume", name}) == 0);
    const std::filesystem::path there = std::filesystem::path(name) / run, here = folder / "whole" / run;
    CHECK(to_string(compare_trees(expected.arrays, load_checkpoint(there / "checkpoint.safetensors").arrays)) ==
          "equal");
    for (const char* file : {"model.safetensors", "metrics.csv", "steps.csv"})
      CHECK(read_file(there / file) == read_file(here / file));
  }
}

/// A model of 9 hidden units, where the program's has 8.
void save_wider_model(const std::filesystem::path& path) {
  nn::save_model(path, nn::Sequential{nn::layer<nn::Linear>({.in = 4, .out = 9}), nn::layer<nn::Dropout>({.p = 0.5}),
                                      nn::layer<nn::Linear>({.in = 9, .out = 1})});
}

}  // namespace

TEST_CASE("--accumulate: a step has N batches, at an epoch's end what is left; it resumes after any step") {
  // 5 batches an epoch, 3 epochs: steps of 2, 2 and 1 batches
  check_resumes({"--accumulate", "2", "--schedule", "cosine(warmup=0.2)"}, 9);
}

TEST_CASE("--accumulate: record, schedule, epochs and evaluations count steps; all of an epoch is one step") {
  const TemporaryFolder folder;
  REQUIRE(own_training({"--out", (folder / "run").string(), "--accumulate", "2", "--evaluate-every", "2", "--optimizer",
                        "sgd(lr=0.01)", "--schedule", "linear"}) == 0);
  const train::Manifest manifest = train::read_manifest(folder / "run");
  CHECK(manifest.steps_per_epoch == 3);
  CHECK(manifest.total_steps == 9);
  const std::filesystem::path run = folder / "run" / only_run(folder / "run");
  const std::string steps = read_file(run / "steps.csv"), metrics = read_file(run / "metrics.csv");
  CHECK(std::count(steps.begin(), steps.end(), '\n') == 1 + 9);
  CHECK(steps.find("\n1,") != std::string::npos);
  CHECK(steps.find("\n9,") != std::string::npos);
  CHECK(metrics.find("\n2,0.8,") != std::string::npos);
  CHECK(metrics.find("\n3,1,") != std::string::npos);
  CHECK(metrics.find("\n4,1.4,") != std::string::npos);
  REQUIRE(own_training({"--out", (folder / "epoch").string(), "--accumulate", "100"}) == 0);
  CHECK(train::read_manifest(folder / "epoch").total_steps == 3);
}

TEST_CASE("adaptive Lookahead trains and resumes after any step, with and without --accumulate") {
  const std::string rule = "lookahead(sgd(lr=0.05), k=2, alpha=0.5, adaptive)";
  check_resumes({"--optimizer", rule}, 15);
  check_resumes({"--optimizer", rule, "--accumulate", "2"}, 9);
}

TEST_CASE("--init: a resume needs the file no more, not for the run that goes on and not for one that begins") {
  const TemporaryFolder folder;
  REQUIRE(own_training({"--out", (folder / "first").string(), "--seed", "5"}) == 0);
  const auto model = folder / "model.safetensors";
  std::filesystem::copy_file(folder / "first" / only_run(folder / "first") / "model.safetensors", model);
  const std::vector<std::string> options = {"--init",      model.string(),  "--optimizer",        "sgd(lr=0.01)",
                                            "--optimizer", "adam(lr=0.01)", "--checkpoint-every", "1"};
  const auto with_out = [&](const std::string& out) {
    std::vector<std::string> all = options;
    all.insert(all.end(), {"--out", (folder / out).string()});
    return all;
  };
  REQUIRE(own_training(with_out("whole")) == 0);
  CHECK_THROWS_AS(own_training(with_out("stopped"), {.throw_after = 7}), std::runtime_error);
  std::filesystem::remove(model);
  REQUIRE(own_training({"--resume", (folder / "stopped").string()}) == 0);
  for (const std::string& run : run_names(folder / "whole"))
    CHECK(read_file(folder / "whole" / run / "model.safetensors") ==
          read_file(folder / "stopped" / run / "model.safetensors"));
  const train::Manifest a = train::read_manifest(folder / "whole"), b = train::read_manifest(folder / "stopped");
  CHECK(a.options == b.options);
  SUBCASE("a longer resume keeps in the manifest which file it was") {
    REQUIRE(own_training({"--resume", (folder / "whole").string(), "--epochs", "4"}) == 0);
    CHECK(train::read_manifest(folder / "whole").options.back() == std::pair<std::string, std::string>("init", model));
  }
  SUBCASE("the copy goes when the folder is replaced, also by a run that begins from it") {
    std::vector<std::string> again = {"--out", (folder / "whole").string(), "--overwrite", "--init",
                                      (folder / "whole/init.safetensors").string()};
    REQUIRE(own_training(again) == 0);
    REQUIRE(own_training({"--out", (folder / "whole").string(), "--overwrite"}) == 0);
    CHECK_FALSE(std::filesystem::exists(folder / "whole/init.safetensors"));
  }
}

TEST_CASE("--init of another shape: the error says what to do, and with --new-head it begins") {
  const TemporaryFolder folder;
  const std::string wide = (folder / "wide.safetensors").string();
  save_wider_model(wide);
  CHECK_THROWS_WITH_AS(own_training({"--out", (folder / "run").string(), "--init", wide}),
                       doctest::Contains("--new-head"), Error);
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
  CHECK(own_training({"--out", (folder / "run").string(), "--init", wide, "--new-head"}) == 0);
  SUBCASE("but not where the file is damaged") {
    const std::string content = read_file(wide);
    write_file(wide, content.substr(0, content.size() - 4));
    std::string what;
    try {
      own_training({"--out", (folder / "damaged").string(), "--init", wide});
    } catch (const Error& error) {
      what = error.what();
    }
    CHECK(what.find(wide) == 0);
    CHECK(what.find("--new-head") == std::string::npos);
  }
}

TEST_CASE("--inner-steps is refused before the first step by a program that does not measure them") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(own_training({"--out", (folder / "run").string(), "--inner-steps", "3"}), UsageError);
  CHECK_THROWS_WITH_AS(
      own_training(
          {"--out", (folder / "run").string(), "--optimizer", "sgd(lr=0.1)", "--optimizer", "second=sgd(lr=1e-1)"}),
      "--optimizer: two are the same rule: sgd(lr=0.1) and sgd(lr=1e-1); leave one out; --seed repeats "
      "a run",
      UsageError);
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
}

TEST_CASE("what a process of --jobs is given: options of this call that a run may have otherwise") {
  const TemporaryFolder folder;
  REQUIRE(own_training({"--out", (folder / "run").string()}) == 0);
  train::CommandLine line("A test.", {.program = "own", .optimizers = {"sgd(lr=0.01)"}});
  std::string source;
  line.add_path("--source", source, "A file");
  std::vector<std::string> arguments = {"own",      "--resume", (folder / "run").string(),
                                        "--epochs", "7",        "--checkpoint-every",
                                        "2",        "--data",   "elsewhere",
                                        "--source", "a file",   "--quiet",
                                        "--jobs",   "2"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  REQUIRE(line.parse(static_cast<int>(argv.size()), argv.data()));
  std::vector<std::string> given = line.arguments_of_jobs();
  std::sort(given.begin(), given.end());
  CHECK(given == std::vector<std::string>{"--checkpoint-every=2", "--data=elsewhere", "--epochs=7", "--quiet",
                                          "--source=a file"});
}

TEST_CASE("--freeze leaves what matches as it was; a pattern that matches nothing is an error") {
  const TemporaryFolder folder;
  REQUIRE(own_training({"--out", (folder / "run").string(), "--freeze", "0.*"}) == 0);
  REQUIRE(own_training({"--out", (folder / "none").string(), "--optimizer", "sgd(lr=0)"}) == 0);
  const auto weight = [&](const char* out, const char* name) {
    return *load_safetensors(folder / out / only_run(folder / out) / "model.safetensors").find(name);
  };
  CHECK(identical(weight("run", "0.weight"), weight("none", "0.weight")));
  CHECK_FALSE(identical(weight("run", "2.weight"), weight("none", "2.weight")));
  CHECK_THROWS_AS(own_training({"--out", (folder / "bad").string(), "--freeze", "conv*"}), UsageError);
}

TEST_CASE("--init starts from a model's weights") {
  const TemporaryFolder folder;
  REQUIRE(own_training({"--out", (folder / "first").string(), "--seed", "5"}) == 0);
  const auto model = folder / "first" / only_run(folder / "first") / "model.safetensors";
  REQUIRE(own_training({"--out", (folder / "second").string(), "--optimizer", "sgd(lr=0)", "--init", model.string()}) ==
          0);
  const auto second = load_safetensors(folder / "second" / only_run(folder / "second") / "model.safetensors");
  for (const NamedArray& entry : load_safetensors(model).arrays)
    CHECK(identical(entry.array, *second.find(entry.name)));
}

TEST_CASE("--resume with optimizers and seeds that the run has takes the run's, not the program's defaults") {
  const TemporaryFolder folder;
  const std::vector<std::string> same = {"--optimizer", "sgd(lr=0.01)", "--seed", "5"};
  std::vector<std::string> first = same, again = same;
  first.insert(first.end(), {"--out", (folder / "run").string(), "--checkpoint-every", "1"});
  again.insert(again.end(), {"--resume", (folder / "run").string()});
  CHECK_THROWS_AS(own_training(first, {.throw_after = 4}), std::runtime_error);
  REQUIRE(own_training(again) == 0);
  CHECK(train::read_run_result(folder / "run", "sgd-seed5")->step == 15);
}
