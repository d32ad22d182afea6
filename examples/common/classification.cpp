// Image classification on the shared training loop; see classification.h.
#include "classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/make_model.h>

#include "progress.h"

namespace tandem::examples {
namespace {

constexpr std::int64_t kTestBatch = 500;

Transform training_transform(const Dataset& dataset, std::int64_t cutout_size) {
  const Transform standard = standard_augmentation(dataset);
  return cutout_size > 0 ? standard | cutout({.size = cutout_size}) : standard;
}

std::int64_t count_correct(const Tensor& logits, const Array& labels) {
  const std::vector<std::int64_t> chosen = argmax(logits, 1).value().to_vector<std::int64_t>();
  const std::vector<std::int64_t> right = labels.to_vector<std::int64_t>();
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < right.size(); ++i) correct += chosen[i] == right[i] ? 1 : 0;
  return correct;
}

}  // namespace

ImageClassification::ImageClassification(TrainTest data, const ClassificationOptions& options)
    : data_(std::move(data)), options_(options) {
  const std::int64_t side = std::min(data_.train.images.shape(2), data_.train.images.shape(3));
  if (options_.cutout < 0 || options_.cutout > side)
    fail_usage("--cutout", fmt::format("is {}, must be in [0, {}]", options_.cutout, side), "the side of the images");
  testing_.emplace(data_.test, LoaderOptions{.batch = std::min(kTestBatch, data_.test.size()),
                                             .shuffle = false,
                                             .transform = normalize(data_.train.statistics)});
  start_epoch(0, 0, 0);
}

std::string ImageClassification::data_checksum() const { return fmt::format("{:016x}", checksum(data_.train)); }

std::string ImageClassification::describe_data() const {
  const Array& images = data_.train.images;
  return fmt::format("{}: {} training and {} test images {}x{}x{} in {} classes{}", options_.dataset,
                     with_commas(data_.train.size()), with_commas(data_.test.size()), images.shape(1), images.shape(2),
                     images.shape(3), data_.train.classes.size(),
                     options_.note.empty() ? "" : fmt::format(" ({})", options_.note));
}

std::shared_ptr<nn::Module> ImageClassification::make_model(std::uint64_t seed) {
  nn::seed(seed);
  return nn::make_model(options_.model, {.classes = static_cast<std::int64_t>(data_.train.classes.size())});
}

std::int64_t ImageClassification::steps_per_epoch() const { return training_->batches(); }

Loader ImageClassification::training_loader(std::uint64_t seed) const {
  return Loader(data_.train,
                {.batch = options_.batch, .seed = seed, .transform = training_transform(data_.train, options_.cutout)});
}

void ImageClassification::start_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) {
  if (!training_ || training_->options().seed != seed) training_.emplace(training_loader(seed));
  training_->set_position(epoch * training_->batches() + batch);
}

bool ImageClassification::next_batch() {
  std::optional<Batch> batch = training_->next();
  if (!batch) return false;
  batch_ = *std::move(batch);
  return true;
}

Tensor ImageClassification::loss(nn::Module& model) { return cross_entropy(model(batch_.images), batch_.labels); }

void ImageClassification::run_training_batches(nn::Module& model, std::uint64_t seed, std::int64_t count) {
  Loader loader = training_loader(seed);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::optional<Batch> batch = loader.next();
    if (!batch) return;
    model(batch->images);
  }
}

Metrics ImageClassification::evaluate(nn::Module& model) {
  double loss = 0;
  std::int64_t correct = 0, count = 0;
  testing_->start_epoch(0);
  while (const std::optional<Batch> batch = testing_->next()) {
    const Tensor logits = model(batch->images);
    const std::int64_t n = batch->labels.size();
    loss += cross_entropy(logits, batch->labels).item() * static_cast<double>(n);
    correct += count_correct(logits, batch->labels);
    count += n;
  }
  return {{"test_loss", loss / static_cast<double>(count)},
          {"test_accuracy", static_cast<double>(correct) / static_cast<double>(count)}};
}

}  // namespace tandem::examples
