// VariationalAutoencoding: the Task of a convolutional variational autoencoder: the evidence lower bound,
// reconstructions, samples, a walk between two images.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "image_task.h"

namespace tandem::examples {

struct VariationalOptions {
  std::string dataset;
  std::int64_t batch = 64;
  std::int64_t latent = 128;  ///< numbers of z
  std::string note = {};
};

/// Loss: -ELBO, in nats per image, with one sample of z. Metrics on the test set: elbo (one sample an image, noise the
/// same for every run), psnr and ssim of the reconstruction from the mean of q(z|x). Training images are flipped at
/// random.
class VariationalAutoencoding : public ImageTask {
 public:
  /// Throws UsageError when latent < 1, Error when the data are not valid or images are not square.
  VariationalAutoencoding(const TrainTest& data, const VariationalOptions& options);

  std::string describe_data() const override;
  std::string main_metric() const override { return "elbo"; }
  std::shared_ptr<nn::Module> make_model(std::uint64_t seed) override;
  Tensor loss(nn::Module& model) override;
  Metrics evaluate(nn::Module& model) override;
  std::vector<Picture> input_pictures() override;
  std::vector<Picture> pictures(nn::Module& model) override;

 private:
  VariationalOptions options_;
};

}  // namespace tandem::examples
