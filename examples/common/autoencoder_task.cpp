// Autoencoders on the shared training loop; see autoencoder_task.h.
#include "autoencoder_task.h"

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/data/png.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/autoencoder.h>

#include "image_measures.h"

namespace tandem::examples {
namespace {

constexpr std::int64_t kPictures = 8;
constexpr std::uint64_t kTestNoise = 0x6e6f697365;  // the seed of the test set's noise: the same for every run
constexpr const char* kFigure = "reconstructions";

std::string row_of(const Array& images) {
  return encode_png(image_grid(images, {.columns = kPictures, .scale = images.shape(3) < 48 ? 2 : 1}));
}

}  // namespace

Autoencoding::Autoencoding(const TrainTest& data, const AutoencodingOptions& options)
    : ImageTask(data, {.dataset = options.dataset,
                       .model = "autoencoder",
                       .batch = options.batch,
                       .training = random_flip() | to_unit(),
                       .testing = to_unit(),
                       .note = options.note}),
      options_(options) {
  if (options_.code < 1) fail_usage("--code", fmt::format("is {}, must be at least 1", options_.code), "channels");
  if (!(options_.noise >= 0))
    fail_usage("--noise", fmt::format("is {}, must be at least 0", options_.noise), "images are in [0, 1]");
}

std::string Autoencoding::describe_data() const {
  const Array& images = data().train.images;
  std::string text = ImageTask::describe_data();
  text += fmt::format("; code 1/{:.3g} of an image",
                      static_cast<double>(images.shape(1) * 64) / static_cast<double>(options_.code));
  if (options_.noise > 0) text += fmt::format("; noise {:g} on the input", options_.noise);
  return text;
}

std::shared_ptr<nn::Module> Autoencoding::make_model(std::uint64_t seed) {
  nn::seed(seed);
  return std::make_shared<nn::ConvAutoencoder>(
      nn::AutoencoderOptions{.channels = data().train.images.shape(1), .code = options_.code});
}

Array Autoencoding::with_noise(const Array& images, Generator generator) const {
  if (options_.noise == 0) return images;
  Array noise = Array::empty(images.shape(), DType::f32, Layout::channels_last);
  generator.fill_normal(noise, 0, options_.noise);
  return (Tensor(images) + Tensor(noise)).value();
}

Tensor Autoencoding::loss(nn::Module& model) {
  return mse_loss(model(with_noise(batch().images, batch_generator())), batch().images);
}

Metrics Autoencoding::evaluate(nn::Module& model) {
  ImageMeasures measures;
  for_each_test_batch([&](const Batch& batch, std::uint64_t i) {
    measures.add(batch.images, model(with_noise(batch.images, Generator(kTestNoise).split(i))).value());
  });
  return {{"test_loss", measures.mean_squared_error()}, {"psnr", measures.psnr()}, {"ssim", measures.ssim()}};
}

std::vector<Picture> Autoencoding::input_pictures() {
  const Array clean = sample_test_images(kPictures);
  const std::string caption = options_.noise > 0
                                  ? "Test images, the same with noise, and what each model makes of those."
                                  : "Test images, and what comes back through the bottleneck.";
  std::vector<Picture> rows = {{kFigure, caption, "input", row_of(clean)}};
  if (options_.noise > 0)
    rows.push_back({kFigure, caption, "noisy input", row_of(with_noise(clean, Generator(kTestNoise)))});
  return rows;
}

std::vector<Picture> Autoencoding::pictures(nn::Module& model) {
  const Array input = with_noise(sample_test_images(kPictures), Generator(kTestNoise));
  return {{kFigure, "", "", row_of(model(input).value())}};
}

}  // namespace tandem::examples
