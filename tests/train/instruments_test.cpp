// Instruments of models with dropout and batch norm; --instruments: what is written, that a training is the same bits
// with and without it, and that a resume goes on with the same measurements.
#include <tandem/train/comparison.h>

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/flatten.h>
#include <tandem/optim/adam.h>
#include <tandem/optim/lookahead.h>
#include <tandem/optim/study/instruments.h>
#include <tandem/report/record.h>

#include "core/temporary_folder.h"
#include "own_training.h"

using namespace tandem;
using namespace tandem::test;

namespace {

std::string only_run(const std::filesystem::path& folder) { return train::read_manifest(folder).planned.at(0).name; }

std::vector<nlohmann::json> lines_of(const std::filesystem::path& path) {
  std::istringstream text(read_file(path));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

NamedArrays cloned(const NamedArrays& tree) {
  NamedArrays copy;
  for (const NamedArray& entry : tree) copy.push_back({entry.name, entry.array.clone()});
  return copy;
}

}  // namespace

TEST_CASE("weights, gradients, masks and running statistics stay what they would be, bit for bit") {
  const auto train = [](bool is_measured) {
    nn::seed(11);
    nn::Sequential model{nn::layer<nn::Conv2d>({.in = 3, .out = 4, .kernel = 3, .padding = 1}),
                         nn::layer<nn::BatchNorm2d>({.channels = 4}),
                         nn::layer<nn::ReLU>(),
                         nn::layer<nn::Flatten>(),
                         nn::layer<nn::Dropout>({.p = 0.3}),
                         nn::layer<nn::Linear>({.in = 144, .out = 5})};
    Optimizer optimizer(model.parameters(), lookahead(adam({.lr = 1e-2}), {.k = 2, .alpha = 0.5}));
    Instruments instruments(optimizer, {.lanczos = {.iterations = 2}, .trace = {.samples = 1}});
    Generator generator(3);
    std::vector<double> losses;
    for (int step = 0; step < 5; ++step) {
      Array images = Array::empty({8, 3, 6, 6}, DType::f32, Layout::channels_last);
      generator.fill_normal(images);
      const Array labels = Array::from(std::vector<std::int64_t>{0, 1, 2, 3, 4, 0, 1, 2}, {8});
      const auto loss_of = [&](std::int64_t begin, std::int64_t end) {
        return cross_entropy(model(Tensor(images.slice(0, begin, end))), Tensor(labels.slice(0, begin, end)));
      };
      const std::vector<BatchPart> parts = {{[&] { return loss_of(0, 3); }, 3}, {[&] { return loss_of(3, 8); }, 5}};
      if (is_measured && step % 2 == 0) instruments.before_step(parts);
      const Tensor loss = loss_of(0, 8);
      optimizer.zero_grad();
      loss.backward();
      if (is_measured) instruments.measure(parts);  // gradients have arrived
      optimizer.step();
      losses.push_back(loss.item());
    }
    NamedArrays all = cloned(optimizer.state_tree());
    for (const NamedTensor& entry : model.state_dict()) all.push_back({entry.name, entry.tensor.value().clone()});
    for (const NamedTensor& entry : model.random_state()) all.push_back({entry.name, entry.tensor.value().clone()});
    for (const NamedTensor& entry : model.parameters()) all.push_back({entry.name, entry.tensor.grad().clone()});
    all.push_back({"losses", Array::from(losses, {5})});
    return all;
  };
  const NamedArrays without = train(false), with = train(true);
  REQUIRE(without.size() == with.size());
  for (std::size_t i = 0; i < with.size(); ++i) {
    CAPTURE(with[i].name);
    CHECK(identical(without[i].array, with[i].array));
  }
}

TEST_CASE("both ends of a step have the same masks, parts have masks of their own") {
  nn::seed(2);
  nn::Dropout dropout(nn::Dropout::Options{.p = 0.5});
  Tensor w(Array::from({1, 2, 3, 4, 5, 6, 7, 8}, {8}), true);
  Instruments instruments(NamedTensors{{"w", w}}, {.curvature = false});
  const auto loss = [&] { return sum(square(dropout(w))); };
  const InstrumentReport report =
      instruments.measure({{loss, 1}, {loss, 1}}, [&] { dropout(w); });  // a step that draws, and moves nothing
  CHECK(report.loss_after == report.loss);
  CHECK(report.alpha == -1);
  CHECK(report.whole.variance > 0);
}

TEST_CASE("a training with instruments has the same bits as one without") {
  const TemporaryFolder folder;
  const std::string without = (folder / "without").string(), with = (folder / "with").string();
  REQUIRE(own_training({"--out", without}) == 0);
  REQUIRE(own_training({"--out", with, "--instruments", "4"}) == 0);
  const std::filesystem::path a = folder / "without" / only_run(without), b = folder / "with" / only_run(with);
  CHECK(to_string(compare_trees(load_checkpoint(a / "checkpoint.safetensors").arrays,
                                load_checkpoint(b / "checkpoint.safetensors").arrays)) == "equal");
  for (const char* file : {"model.safetensors", "metrics.csv", "steps.csv"})
    CHECK(read_file(a / file) == read_file(b / file));
  CHECK_FALSE(std::filesystem::exists(a / "instruments.jsonl"));

  const std::vector<nlohmann::json> lines = lines_of(b / "instruments.jsonl");
  REQUIRE(lines.size() == 5);  // the header, steps 1, 5, 9, 13
  CHECK(lines[0]["parameters"] == nlohmann::json({"0.weight", "0.bias", "2.weight", "2.bias"}));
  CHECK(lines[0]["bins"].size() == 41);
  CHECK(lines[2]["step"] == 5);
  CHECK(lines[2]["examples"] == 6);
  CHECK(lines[2]["parts"] == 6);
  CHECK(lines[1]["whole"]["distance"] == 0.0);
  CHECK(lines[2]["whole"]["distance"] > 0.0);
  for (const char* name : {"loss", "loss_after", "alpha", "sharpness", "trace", "mean_gsnr", "update_size"}) {
    CAPTURE(name);
    CHECK(lines[2]["whole"][name].is_number());
  }
  CHECK(lines[2]["by_parameter"]["gradient_norm"].size() == 4);
  // What the report reads is what was written.
  const report::RunFolder read = report::read_run_folder(with);
  CHECK(read.runs[0].instruments.rows() == 4);
  CHECK((*read.runs[0].instruments.column("alpha"))[1] == lines[2]["whole"]["alpha"]);
  const std::string events = read_file(b / "events.out.tfevents.tandem");
  for (const char* tag : {"instruments/alpha", "instruments/sharpness", "instruments/distance"})
    CHECK(events.find(tag) != std::string::npos);
}

TEST_CASE("the update of the record and of the instruments are one") {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  REQUIRE(own_training({"--out", out, "--instruments", "1", "--optimizer", "sgd(lr=0.05)"}) == 0);
  const report::RunRecord run = report::read_run_folder(out).runs[0];
  REQUIRE(run.instruments.rows() == run.steps.rows());
  for (std::size_t i = 0; i < run.steps.rows(); ++i)
    CHECK((*run.instruments.column("update_size"))[i] ==
          doctest::Approx((*run.steps.column("update_norm"))[i]).epsilon(1e-4));
}

TEST_CASE("a run that stops goes on with the same measurements, distances from the first weights included") {
  const TemporaryFolder folder;
  const std::string whole = (folder / "whole").string();
  REQUIRE(own_training({"--out", whole, "--checkpoint-every", "1", "--instruments", "3"}) == 0);
  const std::string run = only_run(whole);
  for (const std::int64_t stop : {1, 2, 3, 4, 8, 13}) {
    CAPTURE(stop);
    const std::string name = (folder / ("stopped" + std::to_string(stop))).string();
    CHECK_THROWS_AS(
        own_training({"--out", name, "--checkpoint-every", "1", "--instruments", "3"}, {.throw_after = stop}),
        std::runtime_error);
    REQUIRE(own_training({"--resume", name}) == 0);
    for (const char* file : {"instruments.jsonl", "steps.csv", "model.safetensors"})
      CHECK(read_file(std::filesystem::path(name) / run / file) == read_file(folder / "whole" / run / file));
  }
}

TEST_CASE("a program that measures no parts refuses the option") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(
      own_training({"--out", (folder / "run").string(), "--instruments", "2"}, {.has_instruments = false}),
      "--instruments: this program does not measure parts of its batches; leave it out", UsageError);
}

TEST_CASE("parts of a batch are views that cover it, with their tokens") {
  const Batch batch{Array::arange(10).reshape({10, 1, 1, 1}), Array::arange(10)};
  const std::function<Tensor(const Batch&, std::int64_t)> loss = [](const Batch& part, std::int64_t first) {
    return Tensor(Array::scalar(static_cast<double>(first * 100 + part.labels.size())));
  };
  const auto examples = [](const Batch& part) { return part.labels.size(); };
  const std::vector<BatchPart> parts = train::parts_of(std::vector<Batch>{batch}, loss, examples);
  REQUIRE(parts.size() == 8);
  std::int64_t sum = 0;
  for (const BatchPart& part : parts) sum += part.examples;
  CHECK(sum == 10);
  CHECK(parts[7].loss().item() == 802);
  CHECK(train::parts_of(std::vector<Batch>{batch, batch, batch}, loss, examples).size() == 9);
  CHECK(train::rows(batch, 3, 5).labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{3, 4});

  const Array ids = Array::from(std::vector<std::int64_t>{5, 3, 0, 7, 7, 3}, {2, 3});
  const SentenceBatch sentences{ids, ids, ids, {4, 9}, 5};
  const SentenceBatch first = train::rows(sentences, 0, 1), second = train::rows(sentences, 1, 2);
  CHECK(first.tokens == 2);
  CHECK(second.tokens == 3);
  CHECK(second.rows == std::vector<std::int64_t>{9});
}
