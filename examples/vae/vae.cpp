// vae: a convolutional variational autoencoder; optimizers compared from the same initial weights on the same batches,
// by the evidence lower bound, reconstructions, samples and a walk between two images.
//   vae --dataset cifar100 --epochs 20 --seed 0 --seed 1
//   vae --evaluate runs/DIR                          its models on the test set
//   vae --predict picture.jpg --init runs/DIR/RUN/model.safetensors
// Read next: nn/models/vae.h, the bound; train/run.h, the bookkeeping round the loop below.
#include <fmt/format.h>

#include <vector>

#include <tandem/tandem.h>
#include <tandem/train/train.h>

#include "../autoencoder/reconstruction.h"

using namespace tandem;
using reconstruction::metric_name, reconstruction::picture_of;
using train::Comparison, train::Metrics;

namespace {

constexpr std::int64_t kSamples = 32, kWalk = 8;
constexpr std::uint64_t kTestNoise = 0x656c626f;  // seeds that are the same for every run, so that runs compare
constexpr std::uint64_t kSampleNoise = 0x73616d706c6573;
constexpr const char* kFigure = "reconstructions";

train::Options defaults() {
  train::Options o;
  o.program = "vae";
  o.epochs = 10;
  o.batch = 64;
  o.optimizers = {"adam(lr=1e-3)", "lookahead(adam(lr=1e-3), k=5, alpha=0.5)",
                  "adam(lr=5e-4)"};  // the control: inner at alpha * lr
  return o;
}

void check(const train::ImageData& data) {
  reconstruction::check_pictures(data);
  const Array& images = data.train.images;
  if (images.shape(2) != images.shape(3))
    fail("vae", "images are not square", fmt::format("they are {}x{}", images.shape(2), images.shape(3)),
         data.dataset == "folder" ? "--size 32 makes a folder's images so" : "");
  if (data.test.size() < 2)
    fail("vae", "the test set needs two images, for a walk from one to the other",
         fmt::format("it has {}", data.test.size()));
}

/// The bound, with one sample of z an image whose noise is always the same, and how near images come back from the mean
/// of q(z|x).
Metrics measure(nn::Module& model, Loader& loader, const std::string& part) {
  auto& vae = dynamic_cast<nn::ConvVae&>(model);
  double bound = 0;
  reconstruction::Measures measures;
  std::int64_t number = 0;
  loader.start_epoch(0);
  for (const auto& [images, labels] : loader) {
    Generator noise = Generator(kTestNoise).split(static_cast<std::uint64_t>(number));
    if (!train::is_turn(number++)) continue;
    bound -= vae.bound(images, noise).loss.item() * static_cast<double>(labels.size());
    measures.add(images, vae(images).value());
  }
  train::add_up(bound);
  measures.add_up();
  return {{metric_name(part, "elbo"), bound / static_cast<double>(measures.images())},
          {metric_name(part, "psnr"), measures.psnr()},
          {metric_name(part, "ssim"), measures.ssim()}};
}

/// kWalk points of equal distance from the code of one image to that of another: [kWalk, latent].
Tensor walk_between(nn::ConvVae& model, const Array& two) {
  const Tensor means = model.encode(two).mean;
  const Tensor from = slice(means, 0, 0, 1), to = slice(means, 0, 1, 2);
  std::vector<Tensor> points;
  for (std::int64_t i = 0; i < kWalk; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(kWalk - 1);
    points.push_back((1 - t) * from + t * to);
  }
  return cat(points, 0);
}

/// Draws from N(0, 1), always the same: [kSamples, latent].
Array sample_codes(std::int64_t latent) {
  Array noise = Array::empty({kSamples, latent});
  Generator(kSampleNoise).fill_normal(noise);
  return noise;
}

int compare(const train::CommandLine& line, std::int64_t latent) {
  const train::Options& options = line.options();
  const train::ImageData data = train::open_images(options);
  check(data);
  train::Experiment experiment = train::image_experiment(data, "vae", metric_name(data.part(), "elbo"), options.batch);
  experiment.data = fmt::format("{}; {} latent numbers", data.description, latent);
  Loader watched(data.watched, {.batch = reconstruction::kTestBatch, .shuffle = false, .transform = to_unit()});
  Loader test(data.test, {.batch = reconstruction::kTestBatch, .shuffle = false, .transform = to_unit()});
  const Array shown = train::sample_images(data.test, reconstruction::kPictures, to_unit());
  const Array ends = train::sample_images(data.test, 2, to_unit());  // of the walk

  Comparison comparison(line, experiment);
  comparison.picture(kFigure, "input", picture_of(shown), "Test images, and the decoded means of their codes.");
  for (train::Run& run : comparison) {
    nn::seed(run.seed());
    nn::ConvVae model({.channels = shown.shape(1), .size = shown.shape(2), .latent = latent});
    run.prepare(model);
    run.describe_model(reconstruction::describe_pictures(data.train));
    Optimizer optimizer(model.parameters(), run.rule());
    Loader batches(
        data.train,
        {.batch = options.batch, .seed = run.seed(), .transform = random_flip() | to_unit(), .part = run.part()});
    run.start(model, optimizer, batches);
    run.measure_inner([&] { return measure(model, watched, data.part()); });
    run.measure_instruments([&](const Batch& part, std::int64_t) { return model.bound(part.images).loss; });
    while (run.next_epoch()) {
      model.train();
      for (auto& step : run.steps(batches)) {
        const Tensor loss = optimizer.step([&] {
          for (const auto& [images, labels] : step) step.backward(model.bound(images).loss);  // -ELBO, nats an image
          return step.loss();
        });
        run.step(loss);
        if (!run.evaluation_due()) continue;
        const auto slow = run.evaluation_weights();
        run.record(measure(model, watched, data.part()));
      }
    }
    if (!run.is_complete()) continue;
    const auto slow = run.evaluation_weights();
    if (data.has_validation) run.record_final(measure(model, test, "test"));
    run.picture(kFigure, picture_of(model(shown).value()));
    run.picture("samples", picture_of(model.decode(sample_codes(latent)).value()),
                "Decoded draws from N(0, 1): the same for every optimizer.");
    run.picture("walk", picture_of(model.decode(walk_between(model, ends)).value()),
                "On the straight line between the codes of two test images.");
  }
  return comparison.finish();
}

}  // namespace

int main(int argc, char** argv) try {
  train::CommandLine line("Trains convolutional variational autoencoders and compares optimizers.", defaults(),
                          {.datasets = dataset_names(), .validation = true, .predict = true});
  std::int64_t latent = 128;
  line.add("--latent", latent, "Numbers in the code of an image", 1, 16384);
  line.complete([](train::Options& o) { train::choose_image_dataset(o, "cifar100"); });
  if (!line.parse(argc, argv)) return train::kExitDone;
  reconstruction::check_size(line.options());
  const bool is_predicting = !line.options().predict.empty(), is_evaluating = !line.options().evaluate.empty();
  if (is_predicting || is_evaluating) line.refuse({"--latent"}, "is said by the model");
  if (is_predicting) return reconstruction::predict(line.options());
  if (is_evaluating) return reconstruction::evaluate(line, measure);
  return compare(line, latent);
} catch (...) {
  return train::end_by_exception();
}
