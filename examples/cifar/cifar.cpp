// cifar: image classification on CIFAR-10, CIFAR-100, a folder of images, or the pictures that come with Tandem;
// optimizers compared from the same initial weights on the same batches. Training images are padded by 4, cropped,
// flipped and normalised.
//   cifar --model resnet20 --epochs 5 --schedule "cosine(warmup=0.1)" --seed 0 --seed 1
//   cifar --evaluate runs/DIR                        its models on the test set
//   cifar --predict picture.jpg --init runs/DIR/RUN/model.safetensors
// Read next: predict.cpp; train/run.h, the bookkeeping round the loop below.
#include <fmt/format.h>

#include <algorithm>

#include <tandem/tandem.h>
#include <tandem/train/train.h>

#include "predict.h"

using namespace tandem;
using train::Metrics;

namespace {

train::Options defaults() {
  train::Options o;
  o.program = "cifar";
  o.model = "resnet20";
  o.epochs = 5;
  o.schedule = "cosine(warmup=0.1)";
  o.optimizers = {"momentum(lr=0.1, momentum=0.9, weight_decay=5e-4)",
                  "lookahead(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), k=5, alpha=0.8)",
                  "momentum(lr=0.08, momentum=0.9, weight_decay=5e-4)"};  // the control: inner at alpha * lr
  return o;
}

Transform augmentation(const Dataset& dataset, std::int64_t cutout_size) {
  const std::int64_t side = std::min(dataset.images.shape(2), dataset.images.shape(3));
  if (cutout_size > side)
    fail_usage("--cutout", fmt::format("is {}, must be in [0, {}]", cutout_size, side), "the side of the images");
  const Transform standard = standard_augmentation(dataset);
  return cutout_size > 0 ? standard | cutout({.size = cutout_size}) : standard;
}

/// Loss and accuracy over a set, under names that begin with `part`.
Metrics measure(nn::Module& model, Loader& loader, const std::string& part) {
  double loss = 0;
  std::int64_t correct = 0, count = 0;
  loader.start_epoch(0);
  for (const auto& [images, labels] : loader) {
    const Tensor logits = model(images);
    loss += cross_entropy(logits, labels).item() * static_cast<double>(labels.size());
    correct += nn::count_correct(logits, labels);
    count += labels.size();
  }
  train::add_up(loss, correct, count);
  const auto images = static_cast<double>(count);
  return {{part + "_loss", loss / images}, {part + "_accuracy", static_cast<double>(correct) / images}};
}

int compare(const train::CommandLine& line, std::int64_t cutout_size) {
  const train::Options& options = line.options();
  const train::ImageData data = train::open_images(options);
  require_classes(data.train);
  const Transform augmented = augmentation(data.train, cutout_size), plain = normalize(data.train.statistics);
  const nn::ModelOptions sizes = {{"classes", data.train.classes.size()}};
  train::Experiment experiment = train::image_experiment(data, options.model, data.part() + "_accuracy", options.batch);
  experiment.watched = data.part() + "_loss";
  Loader watched(train::share(data.watched), {.batch = 500, .shuffle = false, .transform = plain});
  Loader test(train::share(data.test), {.batch = 500, .shuffle = false, .transform = plain});

  train::Comparison comparison(line, experiment);
  for (train::Run& run : comparison) {
    nn::seed(run.seed());
    const auto model = nn::make_model(options.model, sizes);
    run.prepare(*model);
    run.describe_model(train::describe_images(data.train));
    Optimizer optimizer(model->parameters(), run.rule());
    Loader batches(data.train,
                   {.batch = options.batch, .seed = run.seed(), .transform = augmented, .part = run.part()});
    run.start(*model, optimizer, batches);
    run.measure_inner([&] { return measure(*model, watched, data.part()); });
    run.measure_instruments(
        [&](const Batch& part, std::int64_t) { return cross_entropy((*model)(part.images), part.labels); });
    while (run.next_epoch()) {
      model->train();
      for (auto& step : run.steps(batches)) {
        const Tensor loss = optimizer.step([&] {
          for (const auto& [images, labels] : step) step.backward(cross_entropy((*model)(images), labels));
          return step.loss();
        });
        run.step(loss);
        if (!run.evaluation_due()) continue;
        const auto slow = run.evaluation_weights();
        run.record(measure(*model, watched, data.part()));
      }
    }
    if (data.has_validation && run.is_complete()) {
      const auto slow = run.evaluation_weights();
      run.record_final(measure(*model, test, "test"));
    }
  }
  return comparison.finish();
}

}  // namespace

int main(int argc, char** argv) try {
  train::CommandLine line("Trains image classifiers and compares optimizers.", defaults(),
                          {.datasets = dataset_names(),
                           .models = nn::model_names(nn::ModelTask::classification),
                           .batch_norm = true,
                           .validation = true,
                           .predict = true});
  std::int64_t cutout_size = 0;
  line.add("--cutout", cutout_size, "Side of the square that is cut out of training images, in pixels; 0: none");
  line.complete([](train::Options& o) { train::choose_image_dataset(o, "cifar10"); });
  if (!line.parse(argc, argv)) return train::kExitDone;
  if (!line.options().predict.empty()) return cifar::predict(line.options());
  if (!line.options().evaluate.empty()) return cifar::evaluate(line, measure);
  return compare(line, cutout_size);
} catch (...) {
  return train::end_by_exception();
}
