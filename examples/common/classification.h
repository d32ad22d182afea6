// ImageClassification: the Task of images with labels: cross-entropy, augmentation, test_loss and test_accuracy.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <tandem/data/loader.h>

#include "task.h"

namespace tandem::examples {

struct ClassificationOptions {
  std::string dataset, model;  ///< names, as of the command line
  std::int64_t batch = 128;
  std::int64_t cutout = 0;  ///< side of the square that is cut out of training images; 0: none
  std::string note = {};    ///< said of the data, in brackets
};

class ImageClassification : public Task {
 public:
  /// Training images are padded by 4, cropped, flipped and normalised; test images are normalised.
  /// Throws UsageError when the model is not known or the cutout does not fit, Error when the data are not valid.
  ImageClassification(TrainTest data, const ClassificationOptions& options);

  std::string dataset() const override { return options_.dataset; }
  std::string model() const override { return options_.model; }
  std::string data_checksum() const override;
  std::string describe_data() const override;
  std::string main_metric() const override { return "test_accuracy"; }

  std::shared_ptr<nn::Module> make_model(std::uint64_t seed) override;
  std::int64_t steps_per_epoch() const override;
  void start_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) override;
  bool next_batch() override;
  std::int64_t examples() const override { return batch_.labels.size(); }
  Tensor loss(nn::Module& model) override;
  void run_training_batches(nn::Module& model, std::uint64_t seed, std::int64_t count) override;
  Metrics evaluate(nn::Module& model) override;

 private:
  TrainTest data_;
  ClassificationOptions options_;
  Loader training_loader(std::uint64_t seed) const;

  std::optional<Loader> training_, testing_;
  Batch batch_;
};

}  // namespace tandem::examples
