// Autoencoding: the Task of giving back an image through a bottleneck, or, with noise, the clean image behind a noisy
// one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "image_task.h"

namespace tandem::examples {

struct AutoencodingOptions {
  std::string dataset;
  std::int64_t batch = 64;
  std::int64_t code = 24;  ///< channels of the bottleneck, at an eighth of height and width
  double noise = 0;        ///< standard deviation of normal noise on the input; 0: none. Images are in [0, 1]
  std::string note = {};
};

/// Loss: mean squared error. Metrics on the test set: test_loss (mean squared error), psnr, ssim of the clean images.
/// Training images are flipped at random. Noise depends on (seed, number of the batch); that of the test set is fixed.
class Autoencoding : public ImageTask {
 public:
  /// Throws UsageError when code < 1 or noise < 0, Error when the data are not valid or the model cannot take them.
  Autoencoding(const TrainTest& data, const AutoencodingOptions& options);

  std::string describe_data() const override;
  std::string main_metric() const override { return "psnr"; }
  std::shared_ptr<nn::Module> make_model(std::uint64_t seed) override;
  Tensor loss(nn::Module& model) override;
  Metrics evaluate(nn::Module& model) override;
  std::vector<Picture> input_pictures() override;
  std::vector<Picture> pictures(nn::Module& model) override;

 private:
  Array with_noise(const Array& images, Generator generator) const;

  AutoencodingOptions options_;
};

}  // namespace tandem::examples
