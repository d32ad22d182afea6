// ImageTask: what every Task on pictures shares: the data set, a Loader for training and one for the test set. A task
// of its own says what the loss is, what is measured and which model it is. Examples: classification.h,
// autoencoder_task.h, vae_task.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <tandem/data/loader.h>

#include "task.h"

namespace tandem::examples {

struct ImageTaskOptions {
  std::string dataset, model;  ///< names, as of the command line
  std::int64_t batch = 128;
  Transform training = {}, testing = {};  ///< what happens to the images; default: bytes / 255
  std::string note = {};                  ///< said of the data, in brackets
};

class ImageTask : public Task {
 public:
  /// Throws Error when the data are not valid or a transform does not fit them.
  ImageTask(TrainTest data, ImageTaskOptions options);

  std::string dataset() const override { return options_.dataset; }
  std::string model() const override { return options_.model; }
  std::string data_checksum() const override;
  std::string describe_data() const override;

  std::int64_t steps_per_epoch() const override;
  void start_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) override;
  bool next_batch() override;
  std::int64_t examples() const override { return batch_.labels.size(); }
  void run_training_batches(nn::Module& model, std::uint64_t seed, std::int64_t count) override;

 protected:
  const TrainTest& data() const { return data_; }
  const ImageTaskOptions& options() const { return options_; }
  const Batch& batch() const { return batch_; }
  /// Random numbers for the batch of next_batch(): equal for equal (seed, number of the batch), whatever ran before.
  Generator batch_generator() const;
  /// Calls f(batch, number of the batch from 0) with the whole test set in order.
  void for_each_test_batch(const std::function<void(const Batch&, std::uint64_t)>& f);
  /// `count` test images at equal distances in the set, after the testing transform: what pictures are made of.
  Array sample_test_images(std::int64_t count) const;

 private:
  Loader training_loader(std::uint64_t seed) const;

  TrainTest data_;
  ImageTaskOptions options_;
  std::optional<Loader> training_, testing_;
  Batch batch_;
};

/// The data set of a program: what --dataset says; "folder" when only --data is given; else `preferred` where it lies
/// in its default folder, and the pictures that come with Tandem where it does not.
std::string choose_image_dataset(const std::string& dataset, const std::string& data, const std::string& preferred);

/// What to say of a data set besides its name: the folder's of "folder"; empty for those that are known by name.
std::string image_dataset_note(const std::string& dataset, const std::filesystem::path& data);

}  // namespace tandem::examples
