// convnet: the smallest network here that is worth the name: three times convolution, batch norm, ReLU and max pooling,
// then one linear layer on the channels' means. It learns the solids (data/synthetic.h) in seconds.
#pragma once

#include <cstdint>
#include <memory>

#include <tandem/nn/sequential.h>

namespace tandem::nn {

struct ConvNetOptions {
  std::int64_t classes = 10;
  std::int64_t channels = 3;  ///< of the images
  std::int64_t width = 16;    ///< channels of the first convolution; the next have twice and four times as many
};

/// x [N, channels, H, W] with H, W >= 8 -> logits [N, classes].
std::shared_ptr<Sequential> convnet(const ConvNetOptions& options = {});

}  // namespace tandem::nn
