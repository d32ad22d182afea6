// Training stopped after every single step in turn and resumed: with dropout, inside Lookahead cycles and inside
// epochs, the checkpoint at the end is that of a run that went through, bit for bit.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include <tandem/autograd/ops.h>
#include <tandem/core/checkpoint.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>

#include "core/temporary_folder.h"
#include "examples/common/train.h"

using namespace tandem;
using namespace tandem::examples;

namespace {

constexpr std::int64_t kBatches = 5;

/// A regression on random numbers with dropout, five batches an epoch; may fail after a number of steps.
class TinyTask : public Task {
 public:
  std::string dataset() const override { return "numbers"; }
  std::string model() const override { return "mlp"; }
  std::string data_checksum() const override { return "0"; }
  std::string describe_data() const override { return "numbers"; }
  std::string main_metric() const override { return "test_loss"; }
  std::shared_ptr<nn::Module> make_model(std::uint64_t seed) override {
    nn::seed(seed);
    auto model = std::make_shared<nn::Sequential>();
    model->add(nn::layer<nn::Linear>({.in = 4, .out = 8}));
    model->add(nn::layer<nn::Dropout>({.p = 0.5}));
    model->add(nn::layer<nn::Linear>({.in = 8, .out = 1}));
    return model;
  }
  std::int64_t steps_per_epoch() const override { return kBatches; }
  void start_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) override {
    stream_ = Generator(seed).split(static_cast<std::uint64_t>(epoch));
    batch_ = batch;
  }
  bool next_batch() override {
    if (batch_ == kBatches) return false;
    if (steps_left-- == 0) throw std::runtime_error("stopped");
    x_ = Array::empty({6, 4});
    stream_.split(static_cast<std::uint64_t>(batch_++)).fill_normal(x_);
    return true;
  }
  std::int64_t examples() const override { return 6; }
  Tensor loss(nn::Module& model) override { return mean(square(model(x_) - sum(Tensor(x_), {1}, true))); }
  void run_training_batches(nn::Module&, std::uint64_t, std::int64_t) override {}
  Metrics evaluate(nn::Module& model) override {
    return {{"test_loss", mean(square(model(Array::full({1, 4}, 1)))).item()}};
  }

  std::int64_t steps_left = -1;

 private:
  Generator stream_;
  std::int64_t batch_ = 0;
  Array x_;
};

const Run kRun{"run", "lookahead", 7};
const Length kLength{.epochs = 3};

Rule rule() {
  return parse_rule("lookahead(adam(lr=0.01 * cosine(warmup=3, total=15)), k=4, alpha=0.5, state=interpolate)");
}

CheckpointOptions options() { return {.every = 1, .owner = {"test", "run", "rule", "0"}, .resume_command = "again"}; }

void train(Task& task, RunFolder& folder, bool is_resumed) {
  Progress progress(ProgressStyle::quiet, 15);
  Training training(task, kRun, rule(), kLength, options());
  if (is_resumed) training.resume(folder.path());
  training.run({}, folder, progress);
}

}  // namespace

TEST_CASE("a run that stops after any step goes on to the same bits") {
  const test::TemporaryFolder folder;
  TinyTask task;
  Checkpoint whole;
  {
    RunFolder out(folder / "whole");
    train(task, out, false);
    whole = load_checkpoint(checkpoint_path(out.path(), kRun));
  }
  CHECK(whole.number("step") == 15);
  CHECK(find_array(whole.arrays, "optimizer/groups/0/slow/0.weight") != nullptr);
  CHECK(subtree(whole.arrays, "random/").size() > 0);
  for (std::int64_t stop = 1; stop <= 14; ++stop) {
    CAPTURE(stop);
    const std::string name = "stopped" + std::to_string(stop);
    LogPosition position;
    {
      RunFolder out(folder / name);
      task.steps_left = stop;
      CHECK_THROWS_WITH_AS(train(task, out, false), "stopped", std::runtime_error);
      task.steps_left = -1;
    }
    Training training(task, kRun, rule(), kLength, options());
    const auto state = training.resume(folder / name);
    REQUIRE(state.has_value());
    CHECK(state->step == stop);
    RunFolder out(folder / name, state->position);
    Progress progress(ProgressStyle::quiet, 15);
    const RunResult result = training.run({}, out, progress);
    CHECK(result.steps == 15);
    const Checkpoint end = load_checkpoint(checkpoint_path(out.path(), kRun));
    CHECK(to_string(compare_trees(end.arrays, whole.arrays)) == "equal");
    CHECK(end.text("final_metrics") == whole.text("final_metrics"));
    CHECK(end.text("best_metrics") == whole.text("best_metrics"));
    CHECK(read_file(out.path() / "metrics.csv") == read_file(folder / "whole/metrics.csv"));
  }
}

TEST_CASE("a checkpoint of another optimizer or data set is refused before anything changes") {
  const test::TemporaryFolder folder;
  TinyTask task;
  RunFolder out(folder / "run");
  train(task, out, false);
  CheckpointOptions other = options();
  other.owner.optimizer = "adam(lr=0.1)";
  Training training(task, kRun, parse_rule("adam(lr=0.1)"), kLength, other);
  const std::string path = checkpoint_path(out.path(), kRun).string();
  CHECK_THROWS_WITH_AS(training.resume(out.path()),
                       (path + ": a checkpoint of something else: optimizer is rule, here adam(lr=0.1)").c_str(),
                       Error);
}
