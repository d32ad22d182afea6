// Variational autoencoders on the shared training loop; see vae_task.h.
#include "vae_task.h"

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/data/png.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/vae.h>

#include "image_measures.h"

namespace tandem::examples {
namespace {

constexpr std::int64_t kColumns = 8, kSamples = 32;
constexpr std::uint64_t kTestNoise = 0x656c626f;  // seeds that are the same for every run, so that runs compare
constexpr std::uint64_t kSampleNoise = 0x73616d706c6573;

nn::ConvVae& vae(nn::Module& model) { return dynamic_cast<nn::ConvVae&>(model); }

std::string picture_of(const Array& images) {
  return encode_png(image_grid(images, {.columns = kColumns, .scale = images.shape(3) < 48 ? 2 : 1}));
}

/// kColumns points of equal distance from the code of one test image to that of another.
Tensor walk_between(nn::ConvVae& model, const Array& images) {
  const Tensor means = model.encode(images).mean;
  const Tensor from = slice(means, 0, 0, 1), to = slice(means, 0, 1, 2);
  std::vector<Tensor> points;
  for (std::int64_t i = 0; i < kColumns; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(kColumns - 1);
    points.push_back((1 - t) * from + t * to);
  }
  return cat(points, 0);
}

}  // namespace

VariationalAutoencoding::VariationalAutoencoding(const TrainTest& data, const VariationalOptions& options)
    : ImageTask(data, {.dataset = options.dataset,
                       .model = "vae",
                       .batch = options.batch,
                       .training = random_flip() | to_unit(),
                       .testing = to_unit(),
                       .note = options.note}),
      options_(options) {
  if (options_.latent < 1) fail_usage("--latent", fmt::format("is {}, must be at least 1", options_.latent), "numbers");
  const Array& images = data.train.images;
  if (images.shape(2) != images.shape(3))
    fail("vae", "images are not square", fmt::format("they are {}x{}", images.shape(2), images.shape(3)),
         "--size 32 makes a folder's images so");
}

std::string VariationalAutoencoding::describe_data() const {
  return ImageTask::describe_data() + fmt::format("; {} latent numbers", options_.latent);
}

std::shared_ptr<nn::Module> VariationalAutoencoding::make_model(std::uint64_t seed) {
  nn::seed(seed);
  const Array& images = data().train.images;
  return std::make_shared<nn::ConvVae>(
      nn::VaeOptions{.channels = images.shape(1), .size = images.shape(2), .latent = options_.latent});
}

Tensor VariationalAutoencoding::loss(nn::Module& model) { return vae(model).bound(batch().images).loss; }

Metrics VariationalAutoencoding::evaluate(nn::Module& model) {
  double bound = 0;
  ImageMeasures measures;
  for_each_test_batch([&](const Batch& batch, std::uint64_t i) {
    Generator noise = Generator(kTestNoise).split(i);
    bound -= vae(model).bound(batch.images, noise).loss.item() * static_cast<double>(batch.labels.size());
    measures.add(batch.images, model(batch.images).value());
  });
  return {
      {"elbo", bound / static_cast<double>(data().test.size())}, {"psnr", measures.psnr()}, {"ssim", measures.ssim()}};
}

std::vector<Picture> VariationalAutoencoding::input_pictures() {
  return {{"reconstructions", "Test images, and the decoded means of their codes.", "input",
           picture_of(sample_test_images(kColumns))}};
}

std::vector<Picture> VariationalAutoencoding::pictures(nn::Module& model) {
  nn::ConvVae& network = vae(model);
  Array noise = Array::empty({kSamples, options_.latent});
  Generator(kSampleNoise).fill_normal(noise);
  return {{"reconstructions", "", "", picture_of(model(sample_test_images(kColumns)).value())},
          {"samples", "Decoded draws from N(0, 1): the same for every optimizer.", "",
           picture_of(network.decode(noise).value())},
          {"walk", "On the straight line between the codes of two test images.", "",
           picture_of(network.decode(walk_between(network, sample_test_images(2))).value())}};
}

}  // namespace tandem::examples
