// The convolutional halves that ConvAutoencoder and ConvVae share. Private to nn/models.
//   halving    3x3 convolutions of stride 2, each followed by LeakyReLU(0.2)
//   doubling   transposed 4x4 convolutions of stride 2, each preceded by LeakyReLU(0.2)
// The slope keeps both nearly linear at the start, where the best linear code (27.1 dB for the default autoencoder on
// 64x64 scenes, by principal components) is found in a few epochs; with ReLU it takes several times as many.
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/nn/sequential.h>

namespace tandem::nn {

/// Appends the layers from `channels` to widths.back().
void add_halving(Sequential& layers, std::int64_t channels, const std::vector<std::int64_t>& widths);

/// Appends the layers from widths.back() over widths.front() to `channels`.
void add_doubling(Sequential& layers, const std::vector<std::int64_t>& widths, std::int64_t channels);

/// Starts all convolutions below `module` from Kaiming's normal distribution over the inputs, biases from 0 (He et al.
/// 2015, eq. 14-15 for a slope).
void start_convolutions(Module& module);

/// Pixels in [0, 1] as numbers of mean about 0 and deviation about 1: 4 (x - 1/2).
Tensor centred(const Tensor& pixels);
/// The way back: 1/2 + x / 4.
Tensor pixels_of(const Tensor& x);

}  // namespace tandem::nn
