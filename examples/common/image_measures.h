// What reconstructions are judged by, summed over the batches of a test set: mean squared error, PSNR, SSIM.
#pragma once

#include <cstdint>

#include <tandem/core/array.h>

#include "metrics.h"

namespace tandem::examples {

/// Means over all images that were added.
class ImageMeasures {
 public:
  /// y [N, C, H, W] made of, or compared with, x; both in [0, 1].
  void add(const Array& x, const Array& y);

  double mean_squared_error() const { return squared_error_ / static_cast<double>(images_); }
  double psnr() const { return psnr_ / static_cast<double>(images_); }  ///< decibels
  double ssim() const { return ssim_ / static_cast<double>(images_); }

 private:
  double squared_error_ = 0, psnr_ = 0, ssim_ = 0;
  std::int64_t images_ = 0;
};

}  // namespace tandem::examples
