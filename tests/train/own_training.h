// A program as users write it, called from tests: a regression on random numbers with dropout, five batches an epoch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/core/generator.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>
#include <tandem/train/train.h>

namespace tandem::test {

inline constexpr std::int64_t kOwnBatches = 5;

struct OwnBatch {
  Array x;
  std::int64_t tokens = 6;  ///< examples
};

inline std::int64_t rows_of(const OwnBatch& batch) { return batch.x.shape(0); }
inline OwnBatch rows(const OwnBatch& batch, std::int64_t begin, std::int64_t end) {
  return {batch.x.slice(0, begin, end), end - begin};
}

/// Batches that depend on (seed, epoch, number) alone.
class OwnBatches {
 public:
  explicit OwnBatches(std::uint64_t seed) : seed_(seed) {}
  std::int64_t batches() const { return kOwnBatches; }
  void start_epoch(std::int64_t epoch) { set_position(epoch * kOwnBatches); }
  void set_position(std::int64_t position) { position_ = position, end_ = (position / kOwnBatches + 1) * kOwnBatches; }
  std::optional<OwnBatch> next() {
    if (position_ == end_) return std::nullopt;
    OwnBatch batch{Array::empty({6, 4})};
    Generator(seed_).split(static_cast<std::uint64_t>(position_++)).fill_normal(batch.x);
    return batch;
  }

 private:
  std::uint64_t seed_;
  std::int64_t position_ = 0, end_ = kOwnBatches;
};

/// What a test changes of the program.
struct OwnChanges {
  std::int64_t throw_after = -1;  ///< steps of this call; -1: never
  std::string watched = {};
  std::function<double(std::int64_t step, double loss)> measured = {};  ///< test_loss; default: the loss
  std::function<void(train::Run&)> after_step = {};
  bool has_instruments = true;
};

inline int own_training(std::vector<std::string> arguments, const OwnChanges& changes = {}) {
  arguments.insert(arguments.begin(), "own");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  train::CommandLine line("A program of one's own.",
                          {.program = "own",
                           .optimizers = {"lookahead(adam(lr=0.01), k=4, alpha=0.5, state=interpolate)"},
                           .epochs = 3,
                           .quiet = true});
  if (!line.parse(static_cast<int>(argv.size()), argv.data())) return 0;
  std::int64_t steps_left = changes.throw_after;
  train::Comparison comparison(line, {.dataset = "numbers",
                                      .data = "numbers",
                                      .data_checksum = "0",
                                      .model = "mlp",
                                      .metric = "test_loss",
                                      .watched = changes.watched,
                                      .batches_per_epoch = kOwnBatches});
  for (train::Run& run : comparison) {
    nn::seed(run.seed());
    nn::Sequential model{nn::layer<nn::Linear>({.in = 4, .out = 8}), nn::layer<nn::Dropout>({.p = 0.5}),
                         nn::layer<nn::Linear>({.in = 8, .out = 1})};
    run.prepare(model);
    Optimizer optimizer(model.parameters(), run.rule());
    OwnBatches batches(run.seed());
    run.start(model, optimizer, batches);
    const auto loss_of = [&](const OwnBatch& batch, std::int64_t) {
      return mean(square(model(batch.x) - sum(Tensor(batch.x), {1}, true)));
    };
    if (changes.has_instruments) run.measure_instruments(loss_of);
    while (run.next_epoch()) {
      model.train();
      for (auto& step : run.steps(batches)) {
        if (steps_left-- == 0) throw std::runtime_error("stopped");
        const Tensor loss = optimizer.step([&] {
          for (const OwnBatch& batch : step) step.backward(loss_of(batch, 0));
          return step.loss();
        });
        run.step(loss);
        if (changes.after_step) changes.after_step(run);
        if (!run.evaluation_due()) continue;
        const auto slow = run.evaluation_weights();
        const double value = mean(square(model(Array::full({1, 4}, 1)) - 4)).item();
        run.record({{"test_loss", changes.measured ? changes.measured(run.steps_done(), value) : value}});
      }
    }
  }
  return comparison.finish();
}

}  // namespace tandem::test
