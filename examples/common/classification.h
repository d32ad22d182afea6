// ImageClassification: the Task of images with labels: cross-entropy, augmentation, test_loss and test_accuracy.
#pragma once

#include <memory>
#include <string>

#include "image_task.h"

namespace tandem::examples {

struct ClassificationOptions {
  std::string dataset, model;  ///< names, as of the command line
  std::int64_t batch = 128;
  std::int64_t cutout = 0;  ///< side of the square that is cut out of training images; 0: none
  std::string note = {};    ///< said of the data, in brackets
};

class ImageClassification : public ImageTask {
 public:
  /// Training images are padded by 4, cropped, flipped and normalised; test images are normalised.
  /// Throws UsageError when the model is not known or the cutout does not fit, Error when the data are not valid.
  ImageClassification(const TrainTest& data, const ClassificationOptions& options);

  std::string main_metric() const override { return "test_accuracy"; }
  std::shared_ptr<nn::Module> make_model(std::uint64_t seed) override;
  Tensor loss(nn::Module& model) override;
  Metrics evaluate(nn::Module& model) override;
};

}  // namespace tandem::examples
