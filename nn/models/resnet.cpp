// Residual networks for 32x32 images. See resnet.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/resnet.h>

namespace tandem::nn {

namespace {

/// Option A: x[:, :, ::stride, ::stride] with channels of zeros on both sides.
class ZeroPaddedShortcut : public Module {
 public:
  explicit ZeroPaddedShortcut(const ResidualBlock::Options& options) : options_(options) {}

  std::string describe() const override {
    return fmt::format("ZeroPaddedShortcut({} -> {}, stride {})", options_.in, options_.out, options_.stride);
  }

 protected:
  Tensor forward(const Tensor& x) override {
    Tensor y = x;
    if (options_.stride != 1) {
      y = slice(y, 2, 0, x.shape(2), options_.stride);
      y = slice(y, 3, 0, x.shape(3), options_.stride);
    }
    const std::int64_t extra = options_.out - options_.in, before = extra / 2;
    return pad(y, {0, before, 0, 0}, {0, extra - before, 0, 0});
  }

 private:
  ResidualBlock::Options options_;
};

std::shared_ptr<Module> make_shortcut(const ResidualBlock::Options& o) {
  if (o.stride == 1 && o.in == o.out) return nullptr;
  if (o.shortcut == Shortcut::zero_padded) return std::make_shared<ZeroPaddedShortcut>(o);
  return std::make_shared<Sequential>(std::initializer_list<std::shared_ptr<Module>>{
      layer<Conv2d>({.in = o.in, .out = o.out, .kernel = 1, .stride = o.stride, .bias = false}),
      layer<BatchNorm2d>({.channels = o.out})});
}

}  // namespace

ResidualBlock::ResidualBlock(const Options& o)
    : options_(o),
      conv1_(this, "conv1", {.in = o.in, .out = o.out, .kernel = 3, .stride = o.stride, .padding = 1, .bias = false}),
      bn1_(this, "bn1", {.channels = o.out, .relu = true}),
      conv2_(this, "conv2", {.in = o.out, .out = o.out, .kernel = 3, .padding = 1, .bias = false}),
      bn2_(this, "bn2", {.channels = o.out, .relu = true}),
      shortcut_(this, "shortcut", make_shortcut(o)) {
  if (o.shortcut == Shortcut::zero_padded && o.out < o.in) {
    fail("ResidualBlock", "a zero-padded shortcut cannot drop channels", fmt::format("in {}, out {}", o.in, o.out),
         "use Shortcut::projection");
  }
}

Tensor ResidualBlock::forward(const Tensor& x) {
  const Tensor y = bn1_(conv1_(x));
  return bn2_(conv2_(y), shortcut_ ? shortcut_(x) : x);
}

std::string ResidualBlock::describe() const {
  return fmt::format("ResidualBlock({} -> {}{})", options_.in, options_.out,
                     options_.stride == 1 ? "" : fmt::format(", stride {}", options_.stride));
}

namespace {

const ResNetOptions& checked(const ResNetOptions& o) {
  if (o.widths.empty() || o.blocks < 1) {
    fail("ResNet", "there must be a stage and a block in it",
         fmt::format("{} stages, {} blocks", o.widths.size(), o.blocks));
  }
  return o;
}

}  // namespace

ResNet::ResNet(const ResNetOptions& options)
    : options_(checked(options)),
      conv1_(this, "conv1",
             {.in = options.channels, .out = options.widths[0], .kernel = 3, .padding = 1, .bias = false}),
      bn1_(this, "bn1", {.channels = options.widths[0], .relu = true}),
      linear_({.in = options.widths.back(), .out = options.classes}) {
  set_origin(origin_of("resnet", options));
  std::int64_t in = options.widths[0];
  for (std::size_t s = 0; s < options.widths.size(); ++s) {
    Sub<Sequential>& stage = stages_.emplace_back(this, fmt::format("layer{}", s + 1));
    for (int b = 0; b < options.blocks; ++b) {
      const std::int64_t stride = s > 0 && b == 0 ? 2 : 1, out = options.widths[s];
      stage->add(layer<ResidualBlock>({.in = in, .out = out, .stride = stride, .shortcut = options.shortcut}));
      in = out;
    }
  }
  child("linear", linear_);
  for (const NamedModule& m : modules()) {
    if (auto* conv = dynamic_cast<Conv2d*>(m.module)) init::kaiming_normal(conv->weight);
  }
}

Tensor ResNet::forward(const Tensor& x) {
  Tensor y = bn1_(conv1_(x));  // [N, widths[0], H, W]
  for (Sub<Sequential>& stage : stages_) y = stage(y);
  return linear_(global_average_pool2d(y));  // [N, classes]
}

std::string ResNet::describe() const {
  return fmt::format("ResNet({} stages {} of {} blocks, {} shortcuts)", options_.widths.size(),
                     fmt::join(options_.widths, "-"), options_.blocks,
                     options_.shortcut == Shortcut::zero_padded ? "zero-padded" : "projection");
}

std::shared_ptr<ResNet> resnet20(std::int64_t classes, std::int64_t channels) {
  return std::make_shared<ResNet>(ResNetOptions{.blocks = 3, .classes = classes, .channels = channels});
}

std::shared_ptr<ResNet> resnet32(std::int64_t classes, std::int64_t channels) {
  return std::make_shared<ResNet>(ResNetOptions{.blocks = 5, .classes = classes, .channels = channels});
}

std::shared_ptr<ResNet> resnet56(std::int64_t classes, std::int64_t channels) {
  return std::make_shared<ResNet>(ResNetOptions{.blocks = 9, .classes = classes, .channels = channels});
}

std::shared_ptr<ResNet> resnet18(std::int64_t classes, std::int64_t channels) {
  return std::make_shared<ResNet>(ResNetOptions{.widths = {64, 128, 256, 512},
                                                .blocks = 2,
                                                .shortcut = Shortcut::projection,
                                                .classes = classes,
                                                .channels = channels});
}

}  // namespace tandem::nn
