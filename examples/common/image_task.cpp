// Pictures on the shared training loop; see image_task.h.
#include "image_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <tandem/data/cifar.h>

#include "progress.h"

namespace tandem::examples {
namespace {

constexpr std::int64_t kTestBatch = 500;
constexpr std::uint64_t kBatchStream = 0x62617463;  // of batch_generator: no other stream of a seed has this number

}  // namespace

ImageTask::ImageTask(TrainTest data, ImageTaskOptions options) : data_(std::move(data)), options_(std::move(options)) {
  testing_.emplace(
      data_.test,
      LoaderOptions{.batch = std::min(kTestBatch, data_.test.size()), .shuffle = false, .transform = options_.testing});
  start_epoch(0, 0, 0);
}

std::string ImageTask::data_checksum() const { return fmt::format("{:016x}", checksum(data_.train)); }

std::string ImageTask::describe_data() const {
  const Array& images = data_.train.images;
  return fmt::format("{}: {} training and {} test images {}x{}x{} in {} classes{}", options_.dataset,
                     with_commas(data_.train.size()), with_commas(data_.test.size()), images.shape(1), images.shape(2),
                     images.shape(3), data_.train.classes.size(),
                     options_.note.empty() ? "" : fmt::format(" ({})", options_.note));
}

std::int64_t ImageTask::steps_per_epoch() const { return training_->batches(); }

Loader ImageTask::training_loader(std::uint64_t seed) const {
  return Loader(data_.train, {.batch = options_.batch, .seed = seed, .transform = options_.training});
}

void ImageTask::start_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) {
  if (!training_ || training_->options().seed != seed) training_.emplace(training_loader(seed));
  training_->set_position(epoch * training_->batches() + batch);
}

bool ImageTask::next_batch() {
  std::optional<Batch> batch = training_->next();
  if (!batch) return false;
  batch_ = *std::move(batch);
  return true;
}

Generator ImageTask::batch_generator() const {
  return Generator(training_->options().seed, kBatchStream).split(static_cast<std::uint64_t>(training_->position()));
}

void ImageTask::run_training_batches(nn::Module& model, std::uint64_t seed, std::int64_t count) {
  Loader loader = training_loader(seed);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::optional<Batch> batch = loader.next();
    if (!batch) return;
    model(batch->images);
  }
}

void ImageTask::for_each_test_batch(const std::function<void(const Batch&, std::uint64_t)>& f) {
  testing_->start_epoch(0);
  for (std::uint64_t i = 0; const std::optional<Batch> batch = testing_->next(); ++i) f(*batch, i);
}

Array ImageTask::sample_test_images(std::int64_t count) const {
  const Dataset& test = data_.test;
  const std::int64_t n = std::min(count, test.size());
  Dataset few = test;
  Shape shape = test.images.shape();
  shape[0] = n;
  few.images = Array::empty(shape, DType::u8, Layout::channels_last);
  few.labels = Array::empty({n}, DType::i64);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t from = (2 * i + 1) * test.size() / (2 * n);
    few.images.slice(0, i, i + 1).copy_from(test.images.slice(0, from, from + 1));
    few.labels.slice(0, i, i + 1).copy_from(test.labels.slice(0, from, from + 1));
  }
  Loader loader(few, {.batch = n, .shuffle = false, .workers = 0, .transform = options_.testing});
  return loader.next()->images;
}

std::string choose_image_dataset(const std::string& dataset, const std::string& data, const std::string& preferred) {
  if (!dataset.empty()) return dataset;
  if (!data.empty()) return "folder";
  const bool is_there = preferred == "cifar100" ? has_cifar100() : has_cifar10();
  return is_there ? preferred : "synthetic";
}

std::string image_dataset_note(const std::string& dataset, const std::filesystem::path& data) {
  if (dataset != "folder" || data.empty()) return {};
  const std::filesystem::path path = std::filesystem::absolute(data).lexically_normal();  // may end in a slash
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace tandem::examples
