// The run folder: what stands in it, and what does not.
#include "examples/common/run_folder.h"

#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/nn/linear.h>
#include "core/temporary_folder.h"

namespace ex = tandem::examples;
using namespace tandem;
using tandem::test::TemporaryFolder;

namespace {

const ex::Run kRun{"1-lookahead-sgd-seed3", "lookahead(sgd(lr=0.1), k=5, alpha=0.5)", 3};

}  // namespace

TEST_CASE("metrics.csv: a header, a row an epoch at once, optimizers quoted") {
  const TemporaryFolder folder;
  ex::RunFolder run_folder(folder / "a/b");
  run_folder.add_epoch(kRun, 1, 10, {{"train_loss", 0.5}, {"test_accuracy", 0.1}});
  CHECK(read_file(folder / "a/b/metrics.csv") ==
        "run,optimizer,seed,epoch,step,train_loss,test_accuracy\n"
        "1-lookahead-sgd-seed3,\"lookahead(sgd(lr=0.1), k=5, alpha=0.5)\",3,1,10,0.5,0.1\n");
}

TEST_CASE("summary.json has the promised keys") {
  const TemporaryFolder folder;
  ex::RunFolder run_folder(folder.path());
  ex::RunResult result;
  result.run = kRun;
  result.epochs = 2;
  result.steps = 20;
  result.seconds = 1.5;
  result.examples_per_second = 100;
  result.final_metrics = {{"test_accuracy", 0.25}};
  result.best_metrics = {{"test_accuracy", 0.5}};
  ex::Configuration configuration;
  configuration.program = "cifar";
  configuration.dataset = "cifar10";
  configuration.data = "cifar10: 50,000 training images";
  configuration.model = "resnet20";
  configuration.parameters = 269722;
  configuration.precision = "f32";
  configuration.threads = 2;
  run_folder.write_summary(configuration, {result});
  const auto summary = nlohmann::json::parse(read_file(folder / "summary.json"));
  CHECK(summary["program"] == "cifar");
  CHECK(summary["dataset"] == "cifar10");
  CHECK(summary["data"] == "cifar10: 50,000 training images");
  CHECK(summary["model"] == "resnet20");
  CHECK(summary["parameters"] == 269722);
  CHECK(summary["precision"] == "f32");
  CHECK(summary["threads"] == 2);
  REQUIRE(summary["runs"].size() == 1);
  const auto& run = summary["runs"][0];
  CHECK(run["optimizer"] == kRun.optimizer);
  CHECK(run["seed"] == 3);
  CHECK(run["epochs"] == 2);
  CHECK(run["steps"] == 20);
  CHECK(run["seconds"] == 1.5);
  CHECK(run["examples_per_second"] == 100);
  CHECK(run["final"]["test_accuracy"] == 0.25);
  CHECK(run["best"]["test_accuracy"] == 0.5);
}

TEST_CASE("a model is saved by PyTorch's names, and not at all when it is not finite") {
  const TemporaryFolder folder;
  ex::RunFolder run_folder(folder.path());
  nn::Linear model({.in = 2, .out = 1});
  run_folder.save_model(kRun, model, {{"format", "pt"}});
  const auto path = folder / "1-lookahead-sgd-seed3/model.safetensors";
  const Safetensors saved = load_safetensors(path);
  REQUIRE(saved.arrays.size() == 2);
  CHECK(saved.arrays[0].name == "weight");
  CHECK(saved.arrays[1].name == "bias");
  CHECK(identical(saved.arrays[0].array, model.parameters()[0].tensor.value()));

  const std::string before = read_file(path);
  Tensor bias = model.parameters()[1].tensor;
  bias.mutable_value().fill(std::numeric_limits<double>::infinity());
  CHECK_THROWS_WITH_AS(run_folder.save_model(kRun, model, {}),
                       "run 1-lookahead-sgd-seed3: \"bias\" is not finite: the model is not saved", Error);
  CHECK(read_file(path) == before);
}

TEST_CASE("folders that stayed empty disappear, those with content and those of others stay") {
  const TemporaryFolder folder;
  { const ex::RunFolder run_folder(folder / "a/b"); }
  CHECK(folder.count() == 0);
  std::filesystem::create_directory(folder / "theirs");
  { const ex::RunFolder run_folder(folder / "theirs"); }
  CHECK(folder.count() == 1);
  {
    ex::RunFolder run_folder(folder / "c");
    run_folder.add_epoch(kRun, 1, 10, {{"test_loss", 1}});
  }
  CHECK(std::filesystem::exists(folder / "c/metrics.csv"));
}

TEST_CASE("a new comparison in a used folder starts with empty tables and leaves foreign files alone") {
  const TemporaryFolder folder;
  {
    ex::RunFolder run_folder(folder.path());
    run_folder.add_epoch(kRun, 1, 10, {{"test_loss", 1}});
    run_folder.write_summary({}, {});
  }
  write_file(folder / "notes.txt", "mine");
  const ex::RunFolder run_folder(folder.path());
  CHECK(folder.count() == 1);
  CHECK(read_file(folder / "notes.txt") == "mine");
}

TEST_CASE("names of runs") {
  CHECK(ex::run_name(1, "momentum(lr=0.1, momentum=0.9)", 0) == "1-momentum-seed0");
  CHECK(ex::run_name(2, "lookahead(momentum(lr=0.1), k=5, alpha=0.8)", 7) == "2-lookahead-momentum-seed7");
  CHECK(ex::run_name(3, "clip_norm(lookahead(adam(lr=0.1 * cosine(total=5)), k=5), max=1)", 1) ==
        "3-clip_norm-lookahead-adam-seed1");
}
