// Transform: what happens to each image between the Dataset and the batch; a value, composed with |.
//
//   Transform training = random_crop({.size = 32, .padding = 4}) | random_flip() | normalize(set.train.statistics);
//   Transform testing = normalize(set.test.statistics);
//
// What is random in it depends on the Generator alone; the Loader keys that by (seed, epoch, index of the image).
// Here: composition and the steps that come with Tandem. Read next: picture.h, for a step of your own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tandem/core/generator.h>
#include <tandem/core/shape.h>
#include <tandem/data/dataset.h>
#include <tandem/data/picture.h>

namespace tandem {

/// One step of a Transform. Stateless: apply is called from several threads at once.
class TransformStep {
 public:
  virtual ~TransformStep() = default;
  /// The format that comes out where `format` goes in. Throws Error when the step cannot take it.
  virtual PictureFormat output(const PictureFormat& format) const = 0;
  /// Changes the picture; draws what is random from `generator`.
  virtual void apply(Picture& picture, Generator& generator) const = 0;
  /// "random_crop(32x32, padding=4)".
  virtual std::string describe() const = 0;
};

class Transform {
 public:
  /// No steps: bytes / 255.
  Transform() = default;
  explicit Transform(std::shared_ptr<const TransformStep> step) : steps_{std::move(step)} {}

  /// These steps, then those of `next`.
  Transform operator|(const Transform& next) const;

  /// What images of `format` become, always floats. Throws Error naming the step that cannot take its input.
  PictureFormat output(const PictureFormat& format) const;

  /// Writes image (u8 [height, width, channels]) through all steps to out, which has room for out_count =
  /// output(format).count() floats. Bytes that no step made floats are divided by 255. `picture` is working memory, to
  /// be kept between calls.
  void apply(const std::uint8_t* image, const PictureFormat& format, Generator generator, Picture& picture, float* out,
             std::int64_t out_count) const;

  /// Makes room in `picture`, so that apply asks for no memory (steps of a user's own may).
  void reserve(const PictureFormat& format, Picture& picture) const;

  /// "random_crop(32x32, padding=4) | random_flip(0.5) | normalize(mean 0.491 0.482 0.447, deviation ...)".
  std::string describe() const;

  bool empty() const { return steps_.empty(); }

 private:
  std::vector<std::shared_ptr<const TransformStep>> steps_;
};

struct RandomCropOptions {
  Size2 size = 32;           ///< of what comes out
  std::int64_t padding = 0;  ///< zeros put on each side first
};
/// A window of `size` at a random place of the image with zeros round it. Throws Error when the window is larger.
Transform random_crop(const RandomCropOptions& options);

struct CentreCropOptions {
  Size2 size = 32;  ///< of what comes out
};
/// The window of `size` in the middle of the image. Throws Error when it is larger.
Transform centre_crop(const CentreCropOptions& options);

struct RandomResizedCropOptions {
  Size2 size = 224;                                    ///< of what comes out
  double least_area = 0.08, most_area = 1;             ///< of the window, as a part of the image's
  double least_ratio = 3.0 / 4, most_ratio = 4.0 / 3;  ///< width to height of the window
};
/// A window of random area and proportions at a random place, resized (Szegedy et al. 2015, "Going deeper with
/// convolutions", section 6): what ImageNet is trained with. The area is uniform, the ratio log-uniform; where ten such
/// windows do not fit, the largest in the middle. For images of any size, in bytes.
Transform random_resized_crop(const RandomResizedCropOptions& options = {});

struct ResizeOptions {
  std::int64_t side = 256;  ///< what the shorter side becomes
};
/// The whole image, resized with its proportions kept (the longer side rounded down): before centre_crop for evaluation
/// crops. For images of any size, in bytes.
Transform resize(const ResizeOptions& options = {});

struct RandomFlipOptions {
  double probability = 0.5;
};
/// Mirrors left and right.
Transform random_flip(const RandomFlipOptions& options = {});

struct CutoutOptions {
  std::int64_t size = 16;
};
/// Sets a square at a random centre to 0, as far as it lies in the image (DeVries & Taylor 2017). After normalize that
/// is the mean colour; before it, black.
Transform cutout(const CutoutOptions& options = {});

/// y = (byte / 255 - mean) / deviation, per channel. Throws Error when a deviation is not positive.
Transform normalize(const ChannelStatistics& statistics);

/// y = byte / 255, in [0, 1]: what autoencoders take and give. An image that no step has made floats becomes the same
/// at the end; with this step the ones behind it see floats. Throws Error where they are floats already.
Transform to_unit();

/// A function as a step that keeps the format; describes itself as custom(name).
Transform custom(std::string name, std::function<void(Picture&, Generator&)> function);

/// What CIFAR papers train with: random_crop of the image's own size with a padding of 4, random_flip, normalize.
Transform standard_augmentation(const Dataset& dataset);

}  // namespace tandem
