// Task: what a program trains, as the shared training loop sees it: a model, a stream of batches, a loss, metrics.
// Example: classification.h. Not here: optimizers (train.h), comparing them (compare.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <tandem/autograd/tensor.h>
#include <tandem/core/safetensors.h>
#include <tandem/nn/module.h>

#include "metrics.h"
#include "pictures.h"

namespace tandem::examples {

class Task {
 public:
  virtual ~Task() = default;

  /// For summary.json and model files: the names given to --dataset and --model.
  virtual std::string dataset() const = 0;
  virtual std::string model() const = 0;
  /// Of the training data, hexadecimal: a checkpoint goes on only with the data it was made with.
  virtual std::string data_checksum() const = 0;
  /// "cifar10: 50,000 training and 10,000 test images 3x32x32 in 10 classes".
  virtual std::string describe_data() const = 0;
  /// The metric that the progress bar shows and whose best value the table has.
  virtual std::string main_metric() const = 0;

  /// What a model file says beside what all say: what must be the same to use the model, such as its vocabulary.
  virtual Metadata model_metadata() const { return {}; }
  /// Writes into the run folder what its models need to be used, such as a vocabulary.
  virtual void save_files(const std::filesystem::path& /*folder*/) const {}

  /// A new model; equal seeds give equal weights.
  virtual std::shared_ptr<nn::Module> make_model(std::uint64_t seed) = 0;

  virtual std::int64_t steps_per_epoch() const = 0;
  /// The next batch is number `batch` (from 0) of this epoch (from 0) of the stream of `seed`, which knows nothing of
  /// optimizers.
  virtual void start_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) = 0;
  /// Fetches a batch; false at the end of the epoch.
  virtual bool next_batch() = 0;
  /// Examples in the batch.
  virtual std::int64_t examples() const = 0;
  /// The loss of the batch, a scalar. Called again for a batch whose loss was not finite.
  virtual Tensor loss(nn::Module& model) = 0;

  /// What goes on from the batch of the last loss() to the next one and is no part of the model: the states of a
  /// recurrent model. Checkpoints hold it. A stateless task carries nothing.
  virtual NamedArrays carried() const { return {}; }
  /// Gives it back after start_epoch() in the middle of an epoch. Throws Error when it is not what carried() gives.
  virtual void set_carried(const NamedArrays& /*arrays*/) {}

  /// Sends `count` training batches through the model, always the same for a seed, without a change to the stream of
  /// batches: what batch-norm statistics are gathered from.
  virtual void run_training_batches(nn::Module& model, std::uint64_t seed, std::int64_t count) = 0;

  /// Metrics on the test set. The model is in evaluation behaviour and nothing is recorded.
  virtual Metrics evaluate(nn::Module& model) = 0;
  /// What is measured once, at the end of a run, in the same way: on data that were not looked at before.
  virtual Metrics evaluate_at_end(nn::Module& /*model*/) { return {}; }

  /// What the report shows of the data, above the runs' pictures of the same figure: the row "input" of
  /// "reconstructions". Asked for after each run; always the same.
  virtual std::vector<Picture> input_pictures() { return {}; }
  /// What the report shows of a model, asked for at the end of a run, called as evaluate() is. Equal models give equal
  /// pictures: the same images of the test set, the same random codes.
  virtual std::vector<Picture> pictures(nn::Module& /*model*/) { return {}; }
};

}  // namespace tandem::examples
