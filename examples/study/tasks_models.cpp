// The tasks of pictures and text. Data are read once a process, when a task is first made. See tasks.h.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <tandem/autograd/ops.h>
#include <tandem/core/generator.h>
#include <tandem/data/cifar.h>
#include <tandem/data/hold_out.h>
#include <tandem/data/language_batches.h>
#include <tandem/data/loader.h>
#include <tandem/data/synthetic.h>
#include <tandem/data/text.h>
#include <tandem/data/vocabulary.h>
#include <tandem/nn/accuracy.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/autoencoder.h>
#include <tandem/nn/models/convnet.h>
#include <tandem/nn/models/lstm_lm.h>

#include "tasks.h"

namespace tandem::study {
namespace {

struct Pictures {
  Dataset train, validation, test;
};

Pictures divided(const TrainTest& sets, std::int64_t train, std::int64_t validation, std::int64_t test) {
  const HeldOut parts = hold_out(first(sets.train, train + validation), validation);
  return {parts.train, parts.held_out, first(sets.test, test)};
}

const Pictures& small_pictures() {
  static const Pictures made = divided(solids({.train = 3000, .test = 1000}), 2500, 500, 1000);
  return made;
}

const Pictures& cifar_pictures() {
  static const Pictures made =
      divided(has_cifar10() ? cifar10({}) : synthetic({.train = 5000, .test = 1000}), 4000, 1000, 1000);
  return made;
}

/// A model on batches of pictures.
class PictureTraining : public Training {
 public:
  PictureTraining(const Pictures& pictures, std::uint64_t seed, const Transform& training, Transform testing)
      : pictures_(pictures),
        testing_(std::move(testing)),
        loader_(pictures.train, {.batch = 32, .seed = seed, .workers = 0, .transform = training, .drop_last = true}) {
    nn::seed(seed);
  }

  NamedTensors parameters() const override { return model_->parameters(); }
  Tensor loss(std::int64_t step) override {
    model_->train();
    if (step != step_) {
      step_ = step;
      batch_.reset();  // its memory serves the next one
      loader_.set_position(step);
      batch_ = loader_.next();
    }
    return loss_of(*batch_);
  }
  Costs measure() override {
    model_->evaluate();
    return {cost_of(pictures_.validation), cost_of(pictures_.test)};
  }

 protected:
  virtual Tensor loss_of(const Batch& batch) = 0;
  /// The sum over a batch of what the cost is the mean of.
  virtual double cost_sum(const Batch& batch) = 0;

  std::shared_ptr<nn::Module> model_;

 private:
  double cost_of(const Dataset& set) {
    Loader loader(set, {.batch = 250, .shuffle = false, .workers = 0, .transform = testing_});
    double total = 0;
    while (const auto batch = loader.next()) total += cost_sum(*batch);
    return total / static_cast<double>(set.size());
  }

  const Pictures& pictures_;
  Transform testing_;
  Loader loader_;
  std::optional<Batch> batch_;
  std::int64_t step_ = -1;
};

class Classifier final : public PictureTraining {
 public:
  Classifier(const Pictures& pictures, std::uint64_t seed, std::int64_t width)
      : PictureTraining(pictures, seed, random_flip() | normalize(pictures.train.statistics),
                        normalize(pictures.train.statistics)) {
    model_ = nn::convnet({.classes = static_cast<std::int64_t>(pictures.train.classes.size()), .width = width});
  }

 private:
  Tensor loss_of(const Batch& batch) override { return cross_entropy((*model_)(batch.images), batch.labels); }
  double cost_sum(const Batch& batch) override {
    return static_cast<double>(batch.labels.size() - nn::count_correct((*model_)(batch.images), batch.labels));
  }
};

class Autoencoder final : public PictureTraining {
 public:
  Autoencoder(const Pictures& pictures, std::uint64_t seed)
      : PictureTraining(pictures, seed, random_flip() | to_unit(), to_unit()) {
    model_ = std::make_shared<nn::ConvAutoencoder>(nn::AutoencoderOptions{.widths = {8, 16, 24}, .code = 16});
  }

 private:
  Tensor loss_of(const Batch& batch) override { return mse_loss((*model_)(batch.images), batch.images); }
  double cost_sum(const Batch& batch) override {
    return mse_loss((*model_)(batch.images), batch.images).item() * static_cast<double>(batch.labels.size());
  }
};

/// Ids of a text in three parts, by characters.
struct Text {
  Array train, validation, test;
  std::int64_t tokens = 0;
};

std::filesystem::path shakespeare() { return data_home() / "text" / "tinyshakespeare.txt"; }

bool has_shakespeare() {
  std::error_code ignored;
  return std::filesystem::is_regular_file(shakespeare(), ignored);
}

/// Words that a seeded chain of 26 letters makes: which letter follows depends on the two before it.
std::string made_text(std::int64_t length) {
  constexpr std::uint64_t kStream = 0x74657874;
  constexpr int kLetters = 26, kFollowers = 4;
  Generator random(0, kStream);
  const Generator followers(1, kStream);
  std::string text = "ab";
  while (static_cast<std::int64_t>(text.size()) < length) {
    const auto a = static_cast<std::uint64_t>(text[text.size() - 2]), b = static_cast<std::uint64_t>(text.back());
    const auto choice = static_cast<std::uint64_t>(std::min(random.below(kFollowers), random.below(kFollowers)));
    const std::int64_t letter = followers.split(a * 256 + b, choice).below(kLetters + 6);
    text += letter < kLetters ? static_cast<char>('a' + letter) : ' ';
  }
  return text;
}

const Text& text() {
  static const Text made = [] {
    constexpr std::int64_t kTrain = 200'000, kHeldOut = 10'000;
    std::string all = has_shakespeare() ? read_text(shakespeare()) : made_text(kTrain + 2 * kHeldOut);
    const Vocabulary vocabulary = Vocabulary::build(all, {.kind = TokenKind::characters});
    const Array ids = vocabulary.encode(all);
    const std::int64_t train = std::min(kTrain, ids.size() - 2 * kHeldOut), end = ids.size();
    return Text{ids.slice(0, 0, train), ids.slice(0, end - 2 * kHeldOut, end - kHeldOut),
                ids.slice(0, end - kHeldOut, end), vocabulary.size()};
  }();
  return made;
}

class Characters final : public Training {
 public:
  explicit Characters(std::uint64_t seed) : order_(seed, kOrderStream) {
    nn::seed(seed);
    model_ = std::make_shared<nn::LstmLanguageModel>(
        nn::LstmLanguageModelOptions{.tokens = text().tokens, .width = 24, .hidden = {64}});
  }

  NamedTensors parameters() const override { return model_->parameters(); }
  Tensor loss(std::int64_t step) override {
    model_->train();
    Generator random = order_.split(static_cast<std::uint64_t>(step));
    Array inputs = Array::empty({kSteps, kBatch}, DType::i64), targets = Array::empty({kSteps, kBatch}, DType::i64);
    const std::int64_t* ids = text().train.data<std::int64_t>();
    for (std::int64_t b = 0; b < kBatch; ++b) {
      const std::int64_t begin = random.below(text().train.size() - kSteps);
      for (std::int64_t t = 0; t < kSteps; ++t) {
        inputs.data<std::int64_t>()[t * kBatch + b] = ids[begin + t];
        targets.data<std::int64_t>()[t * kBatch + b] = ids[begin + t + 1];
      }
    }
    return loss_of(inputs, targets);
  }
  Costs measure() override {
    model_->evaluate();
    return {cost_of(text().validation), cost_of(text().test)};
  }

 private:
  static constexpr std::int64_t kSteps = 24, kBatch = 16;
  static constexpr std::uint64_t kOrderStream = 0x706c61636573;

  Tensor loss_of(const Array& inputs, const Array& targets) {
    const Tensor logits = (*model_)(inputs);  // [T, B, tokens]
    return cross_entropy(reshape(logits, {targets.size(), text().tokens}), targets.reshape({targets.size()}));
  }
  double cost_of(const Array& ids) {
    LanguageBatches batches(ids.contiguous(), {.batch = 50, .steps = kSteps});
    double total = 0;
    while (const auto batch = batches.next())
      total += loss_of(batch->inputs, batch->targets).item() * static_cast<double>(batch->targets.size());
    return total / static_cast<double>(batches.tokens());
  }

  Generator order_;
  std::shared_ptr<nn::LstmLanguageModel> model_;
};

}  // namespace

Task pictures_task() {
  return {.name = "solids",
          .about = "2,500 pictures of 16x16 in ten classes, flips; convnet of width 8",
          .measure = "test error",
          .steps = 150,
          .near = 0.01,
          .make = [](std::uint64_t seed) { return std::make_unique<Classifier>(small_pictures(), seed, 8); }};
}

Task cifar_task() {
  const bool is_there = has_cifar10();
  return {.name = is_there ? "cifar10" : "synthetic",
          .about = is_there ? "4,000 pictures of CIFAR-10, flips; convnet of width 8"
                            : "4,000 pictures of 32x32 made by Tandem (CIFAR-10 was not found); convnet of width 8",
          .measure = "test error",
          .steps = 200,
          .near = 0.01,
          .make = [](std::uint64_t seed) { return std::make_unique<Classifier>(cifar_pictures(), seed, 8); }};
}

Task characters_task() {
  return {.name = "characters",
          .about = has_shakespeare() ? "the first 200,000 characters of tinyshakespeare; LSTM of 64 units"
                                     : "a made text (tinyshakespeare was not found); LSTM of 64 units",
          .measure = "nats a character",
          .steps = 200,
          .near = 0.05,
          .is_relative = true,
          .make = [](std::uint64_t seed) { return std::make_unique<Characters>(seed); }};
}

Task autoencoder_task() {
  return {.name = "autoencoder",
          .about = "the pictures of 16x16 through 16 channels of 2x2 and back",
          .measure = "mean squared error",
          .steps = 150,
          .near = 0.05,
          .is_relative = true,
          .make = [](std::uint64_t seed) { return std::make_unique<Autoencoder>(small_pictures(), seed); }};
}

std::vector<Task> all_tasks() {
  return {quadratic_task(), table_task(), pictures_task(), cifar_task(), characters_task(), autoencoder_task()};
}

}  // namespace tandem::study
