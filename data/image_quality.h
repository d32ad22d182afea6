// How near one image is to another: PSNR and SSIM, one number an image. Images are f32 or f64 in [0, 1], any layout;
// sums are in double. Not here: losses to train with (autograd/ops.h).
#pragma once

#include <vector>

#include <tandem/core/array.h>

namespace tandem {

/// Peak signal-to-noise ratio of each image in decibels, of a and b [N, C, H, W]:
///   10 log10(1 / mse_n),  mse_n the mean of (a - b)^2 over image n;  infinite where the images are equal.
/// The figure of a set is the mean of these, not the PSNR of the mean error. Throws Error when the shapes differ or a
/// dtype is not f32 or f64.
std::vector<double> psnr(const Array& a, const Array& b);

/// Structural similarity of each image, at most 1 (Wang, Bovik, Sheikh & Simoncelli 2004, eq. 13), of a and b
/// [N, C, H, W] with H, W >= 11:
///   (2 ma mb + C1)(2 cov + C2) / ((ma^2 + mb^2 + C1)(va + vb + C2))
/// Means, variances and covariance are weighted by a Gaussian window of 11x11, deviation 1.5, weights that sum to 1;
/// C1 = (K1 L)^2, C2 = (K2 L)^2, K1 = 0.01, K2 = 0.03, L = 1. The mean over channels and over all windows that lie
/// inside the image, as skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5,
/// use_sample_covariance=False, data_range=1, channel_axis=...) computes it. Throws Error as psnr does, and for images
/// smaller than the window.
std::vector<double> ssim(const Array& a, const Array& b);

}  // namespace tandem
