// imagenet: ResNet-50 on folders of pictures of any size, as the Lookahead paper trained it (Zhang et al. 2019, section
// 5.2): batches of 256, lr 0.1, momentum 0.9, weight decay 1e-4, the rate to a tenth after 30, 48 and 58 of 60 epochs,
// Lookahead with k = 5 and alpha = 0.5; crops of random area and proportions, flips; evaluated on the middle 224x224.
//   imagenet --data imagenet                         imagenet/train/CLASS/*.jpg, imagenet/val/CLASS/*.jpg
//   imagenet --data scenes64 --crop 64 --resize 72 --epochs 3
//   imagenet --evaluate runs/DIR
//   imagenet --predict picture.jpg --init runs/DIR/RUN/model.safetensors
// Read next: pictures.cpp; train/run.h, the bookkeeping round the loop below.
#include <fmt/format.h>

#include <algorithm>

#include <tandem/tandem.h>
#include <tandem/train/predict_classes.h>
#include <tandem/train/train.h>

#include "cost.h"
#include "pictures.h"

using namespace tandem;
using train::Metrics;

namespace {

constexpr std::int64_t kEvaluationBatch = 50;
constexpr std::int64_t kTop = 5;

struct Settings {
  std::int64_t crop = 224, resize = 256, width = 64, workers = 2;
};

train::Options defaults() {
  train::Options o;
  o.program = "imagenet";
  o.model = "resnet50";
  o.epochs = 60;
  o.batch = 32;
  o.accumulate = 8;  // 256 a step, batch norm over 32 as on eight devices
  o.schedule = "multistep(at=0.5/0.8/0.9666666667, by=0.1)";
  o.optimizers = {"momentum(lr=0.1, momentum=0.9, weight_decay=1e-4)",
                  "lookahead(momentum(lr=0.1, momentum=0.9, weight_decay=1e-4), k=5, alpha=0.5)",
                  "momentum(lr=0.05, momentum=0.9, weight_decay=1e-4)"};  // the control: inner at alpha * lr
  return o;
}

std::shared_ptr<nn::Module> make_model(const std::string& name, std::int64_t classes, std::int64_t width) {
  nn::ModelOptions sizes = {{"classes", classes}};
  if (name == "resnet50") sizes.set({"width", width});
  return nn::make_model(name, sizes);
}

/// Loss, top-1 and, where there are more than five classes, top-5 accuracy over a set.
Metrics measure(nn::Module& model, Loader& loader) {
  double loss = 0;
  std::int64_t correct = 0, among_five = 0;
  bool has_five = true;
  loader.start_epoch(0);
  for (const auto& [images, labels] : loader) {
    const Tensor logits = model(images);
    loss += cross_entropy(logits, labels).item() * static_cast<double>(labels.size());
    correct += nn::count_correct(logits, labels);
    has_five = logits.shape(1) > kTop;
    if (has_five) among_five += nn::top_k_correct(logits, labels, kTop);
  }
  std::int64_t count = loader.source()->size();
  train::add_up(loss, correct, among_five, count);
  const auto images = static_cast<double>(count);
  Metrics metrics = {{"test_loss", loss / images}, {"test_accuracy", static_cast<double>(correct) / images}};
  if (has_five) metrics.emplace_back("test_top5_accuracy", static_cast<double>(among_five) / images);
  return metrics;
}

/// What the runs of this machine say of the whole of ImageNet.
void print_cost(const train::Comparison& comparison, const train::Options& options, const Settings& settings,
                std::int64_t classes) {
  if (comparison.is_one_of_jobs() || options.find_lr) return;
  double pace = 0, runs = 0;
  for (const train::PlannedRun& planned : train::read_manifest(comparison.folder()).planned) {
    const auto result = train::read_run_result(comparison.folder(), planned.name);
    if (result && result->examples_per_second > 0) pace += result->examples_per_second, ++runs;
  }
  if (runs == 0) return;
  const auto model = make_model(options.model, classes, settings.width);
  const auto multiply_adds = [&](std::int64_t side) { return nn::summary(*model, {1, 3, side, side}).multiply_adds; };
  fmt::print("\n{}", imagenet::cost_text({.examples_per_second = pace / runs,
                                          .crop = settings.crop,
                                          .multiply_adds = multiply_adds(settings.crop),
                                          .multiply_adds_full = multiply_adds(224),
                                          .peak_bytes = imagenet::peak_memory()}));
}

int compare(const train::CommandLine& line, const Settings& settings) {
  const train::Options& options = line.options();
  const imagenet::Pictures pictures = imagenet::open_pictures(options);
  const auto classes = static_cast<std::int64_t>(pictures.classes.size());
  const auto workers = static_cast<int>(settings.workers);
  Loader test(train::share(pictures.test), {.batch = kEvaluationBatch,
                                            .shuffle = false,
                                            .workers = workers,
                                            .transform = imagenet::evaluation_crop(settings.resize, settings.crop)});

  train::Comparison comparison(line, imagenet::experiment_of(pictures, options));
  for (train::Run& run : comparison) {
    nn::seed(run.seed());
    const auto model = make_model(options.model, classes, settings.width);
    run.prepare(*model);
    run.describe_model(imagenet::describe_pictures(pictures, settings.resize, settings.crop));
    Optimizer optimizer(model->parameters(), run.rule());
    Loader batches(pictures.train, {.batch = options.batch,
                                    .seed = run.seed(),
                                    .workers = workers,
                                    .transform = imagenet::training_crops(settings.crop),
                                    .part = run.part()});
    run.start(*model, optimizer, batches);
    run.measure_inner([&] { return measure(*model, test); });
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
        run.record(measure(*model, test));
      }
    }
  }
  const int code = comparison.finish();
  print_cost(comparison, options, settings, classes);
  return code;
}

/// The models of --evaluate on the test pictures, cropped as their files say.
int evaluate(const train::CommandLine& line) {
  const train::Options& options = line.options();
  const imagenet::Pictures pictures = imagenet::open_pictures(options);
  if (!options.json) fmt::print("data       {}\n", pictures.description);
  std::vector<std::pair<std::string, Metrics>> all;
  for (const train::SavedModel& saved : train::saved_models(options.evaluate)) {
    const auto [model, info] = nn::load_model(saved.path);
    if (info.classes != pictures.classes) {
      fail(saved.path.string(), "the model knows other classes than the pictures have",
           fmt::format("{} and {}", info.classes.size(), pictures.classes.size()));
    }
    Loader test(pictures.test,
                {.batch = kEvaluationBatch, .shuffle = false, .transform = imagenet::evaluation_crop(info)});
    model->evaluate();
    const NoGradGuard no_grad;
    all.emplace_back(saved.run, measure(*model, test));
  }
  return train::print_evaluations(options, all);
}

}  // namespace

int main(int argc, char** argv) try {
  train::CommandLine line("Trains ResNet-50 on folders of pictures of any size and compares optimizers.", defaults(),
                          {.datasets = dataset_names(),
                           .models = nn::model_names(nn::ModelTask::classification),
                           .batch_norm = true,
                           .predict = true});
  Settings s;
  constexpr std::int64_t kLeastSide = 8;
  line.add("--crop", s.crop, "Side of the pictures that the model sees", kLeastSide, kLongestSide);
  line.add("--resize", s.resize, "What the shorter side is brought to before the middle is cut out for evaluation",
           kLeastSide, kLongestSide);
  line.add("--width", s.width, "Channels of resnet50's first convolution; 64 is the network of the papers", 1, 4096);
  line.add("--workers", s.workers, "Threads that read pictures; 0: none of their own", 0, kMostWorkers);
  line.complete(imagenet::choose_pictures);
  if (!line.parse(argc, argv)) return train::kExitDone;
  const train::Options& options = line.options();
  line.refuse({"--size"}, "pictures are read as large as they are; --resize and --crop say what is made of them");
  if (!options.predict.empty()) return train::predict_classes(options, imagenet::read_picture);
  if (!options.evaluate.empty()) return evaluate(line);
  if (s.resize < s.crop) fail_usage("--resize", fmt::format("is {}, must be at least --crop, {}", s.resize, s.crop));
  if (options.model != "resnet50") line.refuse({"--width"}, "is of resnet50 alone");
  return compare(line, s);
} catch (...) {
  return train::end_by_exception();
}
