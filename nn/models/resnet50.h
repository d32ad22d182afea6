// ResNet-50 for ImageNet (He et al. 2016, "Deep residual learning for image recognition", table 1): a 7x7 convolution
// of stride 2, max pooling, four stages of bottleneck blocks, one linear layer on the channels' means. As in
// torchvision, whose names the state dict has (conv1, bn1, layer1.0.conv1, layer1.0.downsample.0, ..., fc), a stage
// halves height and width in the 3x3 convolution of its first block, not in the 1x1 before it ("v1.5").
// Not here: the residual networks for CIFAR (resnet.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/pool2d.h>
#include <tandem/nn/sequential.h>
#include <tandem/nn/sub.h>

namespace tandem::nn {

struct BottleneckResNetOptions {
  std::vector<std::int64_t> blocks = {3, 4, 6, 3};  ///< of each stage; ResNet-101: 3, 4, 23, 3; ResNet-152: 3, 8, 36, 3
  std::int64_t width = 64;  ///< channels of conv1 and inside the blocks of stage 1; doubled from stage to stage
  std::int64_t classes = 1000;
  std::int64_t channels = 3;  ///< of the images
};

template <class Option>
void visit_options(BottleneckResNetOptions& o, Option&& option) {
  option("blocks", o.blocks);
  option("width", o.width);
  option("classes", o.classes);
  option("channels", o.channels);
}

/// y = relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + shortcut(x)); convolutions 1x1, 3x3, 1x1, the last to
/// kExpansion * width channels. The shortcut is x where the shape stays, else a 1x1 convolution and batch norm.
class Bottleneck : public Module {
 public:
  static constexpr std::int64_t kExpansion = 4;
  struct Options {
    std::int64_t in = 0, width = 0, stride = 1;
  };
  explicit Bottleneck(const Options& options);
  std::string describe() const override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
  Sub<Conv2d> conv1_;
  Sub<BatchNorm2d> bn1_;
  Sub<Conv2d> conv2_;
  Sub<BatchNorm2d> bn2_;
  Sub<Conv2d> conv3_;
  Sub<BatchNorm2d> bn3_;
  Sub<Module> downsample_;  // empty: x itself
};

/// x [N, channels, H, W] -> logits [N, classes]; H, W from 32 up, 224 in the literature. 25,557,032 parameters and
/// 4.1e9 multiply-adds a picture of 224x224. Convolutions start from Kaiming's normal distribution over the outputs,
/// the classifier as PyTorch's Linear.
class BottleneckResNet : public Module {
 public:
  /// Throws Error when there is no stage, a stage without a block, or a size below 1.
  explicit BottleneckResNet(const BottleneckResNetOptions& options = {});
  std::string describe() const override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  BottleneckResNetOptions options_;
  Sub<Conv2d> conv1_;
  Sub<BatchNorm2d> bn1_;
  Sub<MaxPool2d> pool_;
  std::vector<Sub<Sequential>> stages_;  // layer1, layer2 ...
  Linear fc_;                            // registered behind the stages, whose number options give
};

/// 25,557,032 parameters for a thousand classes.
std::shared_ptr<BottleneckResNet> resnet50(std::int64_t classes = 1000);

}  // namespace tandem::nn
