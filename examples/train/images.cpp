// Pictures of a command line; see images.h.
#include "images.h"

#include <fmt/format.h>

#include <algorithm>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/data/catalog.h>
#include <tandem/data/cifar.h>
#include <tandem/data/hold_out.h>
#include <tandem/data/image.h>
#include <tandem/data/join.h>
#include <tandem/data/loader.h>
#include <tandem/data/resize.h>

#include "progress.h"
#include "saved_models.h"

namespace tandem::train {
namespace {

constexpr std::uint64_t kSplitSeed = 0;  // of --validation: the same pictures for every seed of a comparison

bool holds(const std::string& folder, const char* file) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::path(folder) / file, ignored);
}

bool is_made(const Options& options) { return options.dataset == "synthetic" || options.dataset == "solids"; }

/// What the data set's name leaves open.
std::string note(const Options& options) {
  if (is_made(options)) return "made by Tandem; examples/get_data.sh cifar10 gets real ones";
  if (options.dataset != "folder") return {};
  const std::filesystem::path path = std::filesystem::absolute(options.data).lexically_normal();  // may end in a slash
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace

void choose_image_dataset(Options& options, const std::string& preferred) {
  if (!options.dataset.empty()) return;
  if (!options.data.empty()) {
    options.dataset = holds(options.data, "data_batch_1.bin") ? "cifar10"
                      : holds(options.data, "train.bin")      ? "cifar100"
                                                              : "folder";
    return;
  }
  const bool is_there = preferred == "cifar100" ? has_cifar100() : has_cifar10();
  options.dataset = is_there ? preferred : "synthetic";
}

ImageData open_images(const Options& options) {
  if (is_made(options) && !options.data.empty())
    fail_usage("--data", fmt::format("--dataset {} is made, not read", options.dataset), {}, "leave one of them out");
  const TrainTest set = open_dataset(
      options.dataset, {.folder = options.data, .size = options.size, .skip_bad_files = options.skip_bad_files});
  ImageData data{
      .train = set.train, .watched = set.test, .test = set.test, .dataset = options.dataset, .description = {}};
  data.has_validation = options.validation > 0;
  if (data.has_validation) {
    if (options.validation >= set.train.size())
      fail_usage("--validation",
                 fmt::format("is {}, the training set has {} images", options.validation, set.train.size()));
    const HeldOut parts = hold_out(set.train, options.validation, kSplitSeed);
    data.train = parts.train;
    data.watched = parts.held_out;
  }
  const Array& images = data.train.images;
  const std::string about = note(options);
  data.description = fmt::format(
      "{}: {} training{} and {} test images {}x{}x{} in {} classes{}", options.dataset, with_commas(data.train.size()),
      data.has_validation ? fmt::format(", {} validation", with_commas(data.watched.size())) : "",
      with_commas(data.test.size()), images.shape(1), images.shape(2), images.shape(3), data.train.classes.size(),
      about.empty() ? "" : fmt::format(" ({})", about));
  return data;
}

Experiment image_experiment(const ImageData& data, const std::string& model, const std::string& metric,
                            std::int64_t batch) {
  const std::int64_t full = std::min(batch, data.train.size());
  if (batch > full)
    warn(fmt::format("--batch is {}, the training set has {} examples: every step takes them all", batch, full));
  return {.dataset = data.dataset,
          .data = data.description,
          .data_checksum = fmt::format("{:016x}", checksum(data.train)),
          .model = model,
          .metric = metric,
          .watched = {},
          .batches_per_epoch = (data.train.size() + full - 1) / full};
}

nn::ModelInfo describe_images(const Dataset& dataset) {
  const Array& images = dataset.images;
  return {.classes = dataset.classes,
          .mean = dataset.statistics.mean,
          .deviation = dataset.statistics.deviation,
          .input = {images.shape(1), images.shape(2), images.shape(3)}};
}

int evaluate_images(const CommandLine& line, const MeasureImages& measure) {
  const Options& options = line.options();
  const ImageData data = open_images(options);
  const std::uint64_t sum = checksum(data.train);
  std::vector<std::pair<std::string, Metrics>> all;
  for (const SavedModel& saved : saved_models(options.evaluate)) {
    const auto [model, info] = nn::load_model(saved.path);
    const std::optional<std::uint64_t> trained_on = training_checksum(info);
    // A folder that is not that of training was not split for it either: all of it is new to the model.
    const bool is_other = options.dataset == "folder" && trained_on && *trained_on != sum;
    ImageData now = data;
    if (is_other) now.test = join(data.train, data.test);
    if (is_other && data.has_validation) now.test = join(now.test, data.watched);
    if (all.empty() && !options.json)
      fmt::print("data       {}{}\n", data.description,
                 is_other ? fmt::format("; not those of training: all {} are measured", now.test.size()) : "");
    model->evaluate();
    const NoGradGuard no_grad;
    all.emplace_back(saved.run, measure(*model, info, now, saved.path.string()));
  }
  return print_evaluations(options, all);
}

Array read_picture(const std::string& file, const nn::ModelInfo& info, const Transform& transform) {
  Dataset one;
  one.name = file;
  one.images = cover(read_image(file), {info.input[1], info.input[2]});
  one.labels = Array::zeros({1}, DType::i64);
  one.classes = {"picture"};
  one.statistics = {info.mean, info.deviation};
  Loader loader(one, {.batch = 1, .shuffle = false, .workers = 0, .transform = transform});
  return loader.next()->images;
}

Array sample_images(const Dataset& dataset, std::int64_t count, const Transform& transform) {
  const Dataset few = spread(dataset, count);
  Loader loader(few, {.batch = few.size(), .shuffle = false, .workers = 0, .transform = transform});
  return loader.next()->images;
}

}  // namespace tandem::train
