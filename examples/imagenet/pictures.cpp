// The pictures of imagenet; see pictures.h.
#include "pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <tandem/core/error.h>
#include <tandem/data/catalog.h>
#include <tandem/data/image.h>
#include <tandem/data/image_file_source.h>
#include <tandem/data/loader.h>
#include <tandem/train/images.h>
#include <tandem/train/progress.h>

using namespace tandem;

namespace imagenet {
namespace {

constexpr const char* kSideKey = "resize";  // in a model file: what the shorter side is brought to

Pictures open_folder(const train::Options& options) {
  const TrainTestFiles files =
      list_image_folder(options.data, {.bad_files = options.skip_bad_files ? BadFiles::skip : BadFiles::refuse});
  return {.train = files.train,
          .test = files.test,
          .classes = files.train->classes(),
          .dataset = options.dataset,
          .description = fmt::format("folder: {} training and {} test images of any size in {} classes ({})",
                                     train::with_commas(files.train->size()), train::with_commas(files.test->size()),
                                     files.train->classes().size(), files.train->name()),
          .checksum = fmt::format("{:016x}", checksum(*files.train))};
}

Pictures open_set(const train::Options& options) {
  const train::ImageData data = train::open_images(options);
  return {.train = source_of(data.train),
          .test = source_of(data.test),
          .classes = data.train.classes,
          .dataset = options.dataset,
          .description = data.description,
          .checksum = fmt::format("{:016x}", checksum(data.train))};
}

}  // namespace

void choose_pictures(train::Options& options) {
  std::error_code ignored;
  const std::filesystem::path usual = data_home() / "imagenet";
  if (options.dataset.empty() && options.data.empty() && std::filesystem::is_directory(usual, ignored)) {
    options.dataset = "folder";
    options.data = usual.string();
  }
  if (options.dataset.empty() && options.data.empty()) options.dataset = "synthetic";
  train::choose_image_dataset(options, "cifar10");
}

Pictures open_pictures(const train::Options& options) {
  if (options.dataset == "folder" && options.data.empty())
    fail_usage("--dataset folder", "the folder with the images is not given", {}, "give it with --data");
  Pictures pictures = options.dataset == "folder" ? open_folder(options) : open_set(options);
  if (pictures.classes.size() < 2) {
    fail("imagenet", "the pictures are of one class only", pictures.description,
         "put the images of each class into a folder of its own");
  }
  return pictures;
}

train::Experiment experiment_of(const Pictures& pictures, const train::Options& options) {
  const std::int64_t count = pictures.train->size(), batch = std::min(options.batch, count);
  return {.dataset = pictures.dataset,
          .data = pictures.description,
          .data_checksum = pictures.checksum,
          .model = options.model,
          .metric = "test_accuracy",
          .watched = "test_loss",
          .batches_per_epoch = (count + batch - 1) / batch};
}

Transform training_crops(std::int64_t crop) {
  return random_resized_crop({.size = crop}) | random_flip() | normalize(imagenet_statistics());
}

Transform evaluation_crop(std::int64_t side, std::int64_t crop) {
  return resize({.side = side}) | centre_crop({.size = crop}) | normalize(imagenet_statistics());
}

Transform evaluation_crop(const nn::ModelInfo& info) {
  const auto found = info.extra.find(kSideKey);
  std::int64_t side = 0;
  if (found != info.extra.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), side);
  if (info.input.size() != 3 || side < 1) {
    fail("imagenet", "the model file does not say what its pictures are like",
         fmt::format("{} sizes of an input, shorter side \"{}\"", info.input.size(),
                     found == info.extra.end() ? "" : found->second),
         "give a model that imagenet wrote");
  }
  return resize({.side = side}) | centre_crop({.size = {info.input[1], info.input[2]}}) |
         normalize({info.mean, info.deviation});
}

nn::ModelInfo describe_pictures(const Pictures& pictures, std::int64_t side, std::int64_t crop) {
  const ChannelStatistics statistics = imagenet_statistics();
  return {.classes = pictures.classes,
          .mean = statistics.mean,
          .deviation = statistics.deviation,
          .input = {3, crop, crop},
          .extra = {{kSideKey, std::to_string(side)}}};
}

Array read_picture(const std::string& file, const nn::ModelInfo& info) {
  const ImageFileSource one(file, {{file, 0}}, {"picture"});
  Loader loader(std::make_shared<ImageFileSource>(one),
                {.batch = 1, .shuffle = false, .workers = 0, .transform = evaluation_crop(info)});
  return loader.next()->images;
}

}  // namespace imagenet
