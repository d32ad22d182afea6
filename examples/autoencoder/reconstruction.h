// What `autoencoder` and `vae` share: how near pictures come back, rows of pictures, what can be checked of the data
// before the first step, and trained models at work. Not here: losses and loops (autoencoder.cpp, ../vae/vae.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <tandem/core/array.h>
#include <tandem/data/loader.h>
#include <tandem/nn/module.h>
#include <tandem/train/train.h>

namespace reconstruction {

/// Batches of a measurement: random numbers of a test set are keyed by the number of such a batch.
inline constexpr std::int64_t kTestBatch = 500;
/// Pictures in a row.
inline constexpr std::int64_t kPictures = 8;

/// Mean squared error, PSNR and SSIM: means over all pictures that were added.
class Measures {
 public:
  /// y [N, C, H, W] made of, or compared with, x; both in [0, 1]. A picture that came back exactly counts as 100 dB, as
  /// one with a mean squared error of 1e-10 does: one black picture would make the mean infinite.
  void add(const tandem::Array& x, const tandem::Array& y);
  /// What all ranks have measured together; with one, nothing changes.
  void add_up();

  double mean_squared_error() const { return squared_error_ / static_cast<double>(images_); }
  double psnr() const { return psnr_ / static_cast<double>(images_); }  ///< decibels
  double ssim() const { return ssim_ / static_cast<double>(images_); }
  std::int64_t images() const { return images_; }

 private:
  double squared_error_ = 0, psnr_ = 0, ssim_ = 0;
  std::int64_t images_ = 0;
};

/// Names of metrics without "test": "psnr" of the test set, "validation_psnr" of what was held out.
std::string metric_name(const std::string& part, const std::string& name);

/// A PNG file: images [N, C, H, W] in [0, 1] in rows of kPictures, small ones doubled.
std::string picture_of(const tandem::Array& images);

/// Throws UsageError for a --size that the models cannot take, before data are read: it must be a multiple of 8, which
/// they halve three times, and at least the 11 pixels of SSIM's window.
void check_size(const tandem::train::Options& options);
/// The same for pictures that are as large as they are. Throws Error.
void check_pictures(const tandem::train::ImageData& data);

/// What the model file says of its pictures: their size, and that they are bytes / 255.
tandem::nn::ModelInfo describe_pictures(const tandem::Dataset& dataset);

/// Metrics over a set, under the names of `part`.
using Measure =
    std::function<tandem::train::Metrics(tandem::nn::Module& model, tandem::Loader& loader, const std::string& part)>;

/// The models of --evaluate on the test set of the run, or of --data. Throws Error when they cannot take its pictures.
int evaluate(const tandem::train::CommandLine& line, const Measure& measure);

/// What the model of --init, or those of --evaluate, give back for the files of --predict, each cropped and resized to
/// the size of training: OUT/NAME-RUN.png, OUT being --out or the working folder, RUN the name of the run, or
/// "reconstruction" with --init. Throws Error, before a model is used, when a file of such a name exists and
/// --overwrite is not given, and when two pictures would get one name.
int predict(const tandem::train::Options& options);

}  // namespace reconstruction
