// autoencoder: images through a bottleneck of an eighth of their numbers and back; optimizers compared from the same
// initial weights on the same batches. With --noise: the clean image from a noisy one.
//   autoencoder --data scenes64 --epochs 30 --seed 0 --seed 1 --seed 2
//   autoencoder --evaluate runs/DIR                  its models on the test set
//   autoencoder --predict picture.jpg --init runs/DIR/RUN/model.safetensors
// Read next: reconstruction.h, how near pictures come back; train/run.h, the bookkeeping round the loop below.
#include <fmt/format.h>

#include <cmath>

#include <tandem/tandem.h>
#include <tandem/train/train.h>

#include "reconstruction.h"

using namespace tandem;
using reconstruction::metric_name, reconstruction::picture_of;
using train::Comparison, train::Metrics;

namespace {

constexpr std::uint64_t kBatchStream =
    0x62617463;  // of the noise on batches: no other stream of a seed has this number
constexpr std::uint64_t kTestNoise = 0x6e6f697365;  // the seed of the test set's noise: the same for every run
constexpr const char* kFigure = "reconstructions";

struct Settings {
  std::int64_t code = 24;  // channels of the bottleneck
  double noise = 0;        // standard deviation; images are in [0, 1]
};

train::Options defaults() {
  train::Options o;
  o.program = "autoencoder";
  o.epochs = 10;
  o.batch = 64;
  o.optimizers = {"adam(lr=1e-3)", "lookahead(adam(lr=1e-3), k=5, alpha=0.5)",
                  "adam(lr=5e-4)"};  // the control: inner at alpha * lr
  return o;
}

/// images + deviation * N(0, 1).
Array with_noise(const Array& images, double deviation, Generator generator) {
  if (deviation == 0) return images;
  Array noise = Array::empty(images.shape(), DType::f32, Layout::channels_last);
  generator.fill_normal(noise, 0, deviation);
  return (Tensor(images) + Tensor(noise)).value();
}

/// How near the clean images come back, over a set whose noise is always the same.
Metrics measure(nn::Module& model, Loader& loader, const std::string& part, double noise) {
  reconstruction::Measures measures;
  std::int64_t number = 0;
  loader.start_epoch(0);
  for (const auto& [images, labels] : loader) {
    const Generator random = Generator(kTestNoise).split(static_cast<std::uint64_t>(number));
    if (train::is_turn(number++)) measures.add(images, model(with_noise(images, noise, random)).value());
  }
  measures.add_up();
  return {{part + "_loss", measures.mean_squared_error()},
          {metric_name(part, "psnr"), measures.psnr()},
          {metric_name(part, "ssim"), measures.ssim()}};
}

/// What the experiment is, beside its pictures.
std::string describe(const train::ImageData& data, const Settings& settings) {
  const auto numbers = static_cast<double>(data.train.images.shape(1) * 64);  // of 8x8 pixels, which a code stands for
  return fmt::format("{}; code 1/{:.3g} of an image{}", data.description, numbers / static_cast<double>(settings.code),
                     settings.noise > 0 ? fmt::format("; noise {:g} on the input", settings.noise) : "");
}

int compare(const train::CommandLine& line, const Settings& settings) {
  const train::Options& options = line.options();
  const train::ImageData data = train::open_images(options);
  reconstruction::check_pictures(data);
  train::Experiment experiment =
      train::image_experiment(data, "autoencoder", metric_name(data.part(), "psnr"), options.batch);
  experiment.data = describe(data, settings);
  experiment.watched = data.part() + "_loss";
  Loader watched(data.watched, {.batch = reconstruction::kTestBatch, .shuffle = false, .transform = to_unit()});
  Loader test(data.test, {.batch = reconstruction::kTestBatch, .shuffle = false, .transform = to_unit()});
  const Array clean = train::sample_images(data.test, reconstruction::kPictures, to_unit());
  const Array shown = with_noise(clean, settings.noise, Generator(kTestNoise));

  Comparison comparison(line, experiment);
  comparison.picture(kFigure, "input", picture_of(clean),
                     settings.noise > 0 ? "Test images, the same with noise, and what each model makes of those."
                                        : "Test images, and what comes back through the bottleneck.");
  if (settings.noise > 0) comparison.picture(kFigure, "noisy input", picture_of(shown), "");
  for (train::Run& run : comparison) {
    nn::seed(run.seed());
    nn::ConvAutoencoder model({.channels = clean.shape(1), .code = settings.code});
    run.prepare(model);
    run.describe_model(reconstruction::describe_pictures(data.train));
    Optimizer optimizer(model.parameters(), run.rule());
    Loader batches(
        data.train,
        {.batch = options.batch, .seed = run.seed(), .transform = random_flip() | to_unit(), .part = run.part()});
    run.start(model, optimizer, batches);
    run.measure_inner([&] { return measure(model, watched, data.part(), settings.noise); });
    const Generator noise(run.seed(), kBatchStream);
    run.measure_instruments([&](const Batch& part, std::int64_t first) {
      const Generator random = noise.split(static_cast<std::uint64_t>(batches.position()));
      const Array input = with_noise(part.images, settings.noise, random.split(static_cast<std::uint64_t>(first)));
      return mse_loss(model(input), part.images);
    });
    while (run.next_epoch()) {
      model.train();
      for (auto& step : run.steps(batches)) {
        const Tensor loss = optimizer.step([&] {
          for (const auto& [images, labels] : step) {
            const Generator random = noise.split(static_cast<std::uint64_t>(step.number()));
            step.backward(mse_loss(model(with_noise(images, settings.noise, random)), images));
          }
          return step.loss();
        });
        run.step(loss);
        if (!run.evaluation_due()) continue;
        const auto slow = run.evaluation_weights();
        run.record(measure(model, watched, data.part(), settings.noise));
      }
    }
    if (!run.is_complete()) continue;
    const auto slow = run.evaluation_weights();
    if (data.has_validation) run.record_final(measure(model, test, "test", settings.noise));
    run.picture(kFigure, picture_of(model(shown).value()));
  }
  return comparison.finish();
}

}  // namespace

int main(int argc, char** argv) try {
  train::CommandLine line("Trains convolutional autoencoders and compares optimizers.", defaults(),
                          {.datasets = dataset_names(), .validation = true, .predict = true});
  Settings settings;
  line.add("--noise", settings.noise, "Standard deviation of the noise on the input, images in [0, 1]; 0: none");
  line.add("--code", settings.code, "Channels of the bottleneck, at an eighth of height and width", 1, 4096);
  line.complete([](train::Options& o) { train::choose_image_dataset(o, "cifar10"); });
  if (!line.parse(argc, argv)) return train::kExitDone;
  if (!(settings.noise >= 0) || !std::isfinite(settings.noise))
    fail_usage("--noise", fmt::format("is {}, must be at least 0", settings.noise), "images are in [0, 1]");
  reconstruction::check_size(line.options());
  const bool is_predicting = !line.options().predict.empty(), is_evaluating = !line.options().evaluate.empty();
  if (is_predicting || is_evaluating) line.refuse({"--code"}, "is said by the model");
  if (is_predicting) {
    line.refuse({"--noise"}, "is not added by --predict, which takes pictures as they are");
    return reconstruction::predict(line.options());
  }
  if (is_evaluating)
    return reconstruction::evaluate(line, [&](nn::Module& model, Loader& loader, const std::string& part) {
      return measure(model, loader, part, settings.noise);
    });
  return compare(line, settings);
} catch (...) {
  return train::end_by_exception();
}
