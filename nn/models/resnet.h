// Residual networks for images of 32x32 (He et al. 2016, "Deep residual learning for image recognition").
// Two families share the word: the CIFAR networks of the paper, resnet20 / 32 / 56, three stages 16-32-64 with
// shortcuts without parameters (option A); and resnet18 as DeVries & Taylor 2017 use it on CIFAR, four stages
// 64-128-256-512 with 1x1 convolutions, which the Lookahead paper calls "ResNet-18" (the paper's own ResNet-18 is for
// ImageNet). Names in the state dict are those of the PyTorch implementations: conv1, bn1, layer1.0.conv1, ..., linear.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>
#include <tandem/nn/sub.h>

namespace tandem::nn {

/// What stands beside the two convolutions of a block where the shape changes (elsewhere: x itself).
enum class Shortcut {
  zero_padded,  ///< option A: every stride-th pixel, new channels 0, half of them on either side; no parameters
  projection,   ///< option B: 1x1 convolution and batch norm
};

struct ResNetOptions {
  std::vector<std::int64_t> widths = {16, 32, 64};  ///< channels of each stage; the second and later halve H and W
  int blocks = 3;                                   ///< of each stage, two 3x3 convolutions each
  Shortcut shortcut = Shortcut::zero_padded;
  std::int64_t classes = 10;
  std::int64_t channels = 3;  ///< of the images
};

/// Every option by its name, for files and command lines (nn/model_options.h): option("widths", o.widths) and so on.
template <class Option>
void visit_options(ResNetOptions& o, Option&& option) {
  option("widths", o.widths);
  option("blocks", o.blocks);
  int shortcut = static_cast<int>(o.shortcut);
  option.choice("shortcut", shortcut, {"zero_padded", "projection"});
  o.shortcut = static_cast<Shortcut>(shortcut);
  option("classes", o.classes);
  option("channels", o.channels);
}

/// y = relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)).
class ResidualBlock : public Module {
 public:
  struct Options {
    std::int64_t in = 0, out = 0, stride = 1;
    Shortcut shortcut = Shortcut::projection;
  };
  explicit ResidualBlock(const Options& options);
  std::string describe() const override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
  Sub<Conv2d> conv1_;
  Sub<BatchNorm2d> bn1_;
  Sub<Conv2d> conv2_;
  Sub<BatchNorm2d> bn2_;
  Sub<Module> shortcut_;  // empty: x itself
};

/// x [N, channels, H, W] -> logits [N, classes]. Convolutions start from Kaiming's normal distribution over the inputs
/// (He et al. 2015), the classifier as PyTorch's Linear.
class ResNet : public Module {
 public:
  /// Throws Error when there is no stage, no block, or a size below 1.
  explicit ResNet(const ResNetOptions& options);
  std::string describe() const override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  ResNetOptions options_;
  Sub<Conv2d> conv1_;
  Sub<BatchNorm2d> bn1_;
  std::vector<Sub<Sequential>> stages_;  // layer1, layer2 ...
  Linear linear_;                        // registered behind the stages, whose number options give
};

/// He et al. 2016 for CIFAR, option A: 269,722 parameters for ten classes.
std::shared_ptr<ResNet> resnet20(std::int64_t classes = 10, std::int64_t channels = 3);
/// He et al. 2016 for CIFAR, option A: 464,154 parameters for ten classes.
std::shared_ptr<ResNet> resnet32(std::int64_t classes = 10, std::int64_t channels = 3);
/// He et al. 2016 for CIFAR, option A: 853,018 parameters for ten classes.
std::shared_ptr<ResNet> resnet56(std::int64_t classes = 10, std::int64_t channels = 3);
/// DeVries & Taylor 2017: 11,173,962 parameters for ten classes, 11,220,132 for a hundred.
std::shared_ptr<ResNet> resnet18(std::int64_t classes = 10, std::int64_t channels = 3);

}  // namespace tandem::nn
