// Loader: a Dataset, or pictures that are read when they are wanted (image_source.h), as shuffled, transformed batches,
// made ahead by worker threads.
// Order and augmentation depend on (seed, epoch) alone, never on the number of workers. One thread uses a Loader.
//
//   Loader loader(set.train, {.batch = 128, .transform = standard_augmentation(set.train)});
//   for (int epoch = 0; epoch < 5; ++epoch)
//     for (auto [images, labels] : loader) ...
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>

#include <tandem/core/array.h>
#include <tandem/core/workers/part.h>
#include <tandem/data/dataset.h>
#include <tandem/data/image_source.h>
#include <tandem/data/transform.h>

namespace tandem {

struct LoaderOptions {
  std::int64_t batch = 128;  ///< more than the set has: one batch of all
  bool shuffle = true;
  std::uint64_t seed = 0;     ///< of the order and of what is random in the transform
  int workers = 2;            ///< threads; 0: batches are made by the caller
  Transform transform = {};   ///< default: bytes / 255
  bool drop_last = false;     ///< leave out a last batch that is not full
  Part part = {};             ///< the rows of every batch that are made here: those of one of several workers
  std::int64_t view = 0;      ///< 1, 2, ...: the same batches with other draws of what is random in the transform
  std::int64_t prefetch = 4;  ///< batches that workers make ahead at most; never more than an epoch has
};

/// Valid as long as it is held, whatever the Loader does; its memory is used again afterwards.
struct Batch {
  Array images;  ///< f32 [B, C, H, W], channels-last
  Array labels;  ///< i64 [B]
};

class Loader {
 public:
  /// Throws Error when the data set is not valid, the transform does not fit it, an option is out of range, or there
  /// is no full batch to make, or fewer images in a batch than parts.
  explicit Loader(Dataset dataset, LoaderOptions options = {});
  /// The same for pictures of any sizes, which the transform has to bring to one. Throws Error also when the first
  /// picture cannot be read; what cannot be read later is an error of its batch.
  explicit Loader(std::shared_ptr<const ImageSource> source, LoaderOptions options = {});
  ~Loader();
  Loader(Loader&&) noexcept;
  Loader& operator=(Loader&&) noexcept;

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using pointer = const Batch*;
    using reference = const Batch&;

    const Batch& operator*() const { return *batch_; }
    const Batch* operator->() const { return &*batch_; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !batch_.has_value(); }

   private:
    friend class Loader;
    explicit Iterator(Loader* loader) : loader_(loader) { ++*this; }
    Loader* loader_;
    std::optional<Batch> batch_;
  };

  /// Goes on at position(): from the start of an epoch, or where an interrupted loop stopped. After the last batch of
  /// an epoch it begins the next one. An exception from making a batch comes out here or in ++.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

  /// The next batch, or nothing at the end of the epoch (and from then on, until begin() or start_epoch()).
  std::optional<Batch> next();

  /// Batches in an epoch.
  std::int64_t batches() const;
  std::int64_t epoch() const;
  /// Makes the next batch the first of this epoch.
  void start_epoch(std::int64_t epoch);

  /// Batches handed out since the start of epoch 0; what was made ahead does not count. At most INT64_MAX.
  std::int64_t position() const;
  /// Goes on as a Loader whose position() was this: for resuming. Throws Error when negative.
  void set_position(std::int64_t position);

  /// Throws Error where the pictures come from a source.
  const Dataset& dataset() const;
  /// Where the pictures come from; a Dataset is one too.
  const std::shared_ptr<const ImageSource>& source() const;
  const LoaderOptions& options() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace tandem
