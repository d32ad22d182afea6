// Image classification on the shared training loop; see classification.h.
#include "classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/make_model.h>

namespace tandem::examples {
namespace {

Transform training_transform(const Dataset& dataset, std::int64_t cutout_size) {
  const std::int64_t side = std::min(dataset.images.shape(2), dataset.images.shape(3));
  if (cutout_size < 0 || cutout_size > side)
    fail_usage("--cutout", fmt::format("is {}, must be in [0, {}]", cutout_size, side), "the side of the images");
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

ImageClassification::ImageClassification(const TrainTest& data, const ClassificationOptions& options)
    : ImageTask(data, {.dataset = options.dataset,
                       .model = options.model,
                       .batch = options.batch,
                       .training = training_transform(data.train, options.cutout),
                       .testing = normalize(data.train.statistics),
                       .note = options.note}) {}

std::shared_ptr<nn::Module> ImageClassification::make_model(std::uint64_t seed) {
  nn::seed(seed);
  return nn::make_model(model(), {{"classes", data().train.classes.size()}});
}

Tensor ImageClassification::loss(nn::Module& model) { return cross_entropy(model(batch().images), batch().labels); }

Metrics ImageClassification::evaluate(nn::Module& model) {
  double loss = 0;
  std::int64_t correct = 0, count = 0;
  for_each_test_batch([&](const Batch& batch, std::uint64_t) {
    const Tensor logits = model(batch.images);
    const std::int64_t n = batch.labels.size();
    loss += cross_entropy(logits, batch.labels).item() * static_cast<double>(n);
    correct += count_correct(logits, batch.labels);
    count += n;
  });
  return {{"test_loss", loss / static_cast<double>(count)},
          {"test_accuracy", static_cast<double>(correct) / static_cast<double>(count)}};
}

}  // namespace tandem::examples
