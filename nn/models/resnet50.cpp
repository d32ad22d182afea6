// ResNet-50 for ImageNet. See resnet50.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/resnet50.h>

namespace tandem::nn {

namespace {

std::shared_ptr<Module> make_downsample(const Bottleneck::Options& o) {
  const std::int64_t out = Bottleneck::kExpansion * o.width;
  if (o.stride == 1 && o.in == out) return nullptr;
  return std::make_shared<Sequential>(std::initializer_list<std::shared_ptr<Module>>{
      layer<Conv2d>({.in = o.in, .out = out, .kernel = 1, .stride = o.stride, .bias = false}),
      layer<BatchNorm2d>({.channels = out})});
}

const BottleneckResNetOptions& checked(const BottleneckResNetOptions& o) {
  if (o.blocks.empty() || *std::min_element(o.blocks.begin(), o.blocks.end()) < 1)
    fail("BottleneckResNet", "there must be a stage, and a block in each",
         fmt::format("blocks {}", fmt::join(o.blocks, "-")));
  constexpr std::int64_t kMost = 1 << 16;
  if (o.width < 1 || o.width > kMost || o.blocks.size() > 8)
    fail("BottleneckResNet", "width must be in [1, 65536], and there are 8 stages at most",
         fmt::format("width {}, {} stages", o.width, o.blocks.size()));
  return o;
}

}  // namespace

Bottleneck::Bottleneck(const Options& o)
    : options_(o),
      conv1_(this, "conv1", {.in = o.in, .out = o.width, .kernel = 1, .bias = false}),
      bn1_(this, "bn1", {.channels = o.width, .relu = true}),
      conv2_(this, "conv2",
             {.in = o.width, .out = o.width, .kernel = 3, .stride = o.stride, .padding = 1, .bias = false}),
      bn2_(this, "bn2", {.channels = o.width, .relu = true}),
      conv3_(this, "conv3", {.in = o.width, .out = kExpansion * o.width, .kernel = 1, .bias = false}),
      bn3_(this, "bn3", {.channels = kExpansion * o.width, .relu = true}),
      downsample_(this, "downsample", make_downsample(o)) {}

Tensor Bottleneck::forward(const Tensor& x) {
  const Tensor y = bn2_(conv2_(bn1_(conv1_(x))));
  return bn3_(conv3_(y), downsample_ ? downsample_(x) : x);
}

std::string Bottleneck::describe() const {
  return fmt::format("Bottleneck({} -> {} -> {}{})", options_.in, options_.width, kExpansion * options_.width,
                     options_.stride == 1 ? "" : fmt::format(", stride {}", options_.stride));
}

BottleneckResNet::BottleneckResNet(const BottleneckResNetOptions& options)
    : options_(checked(options)),
      conv1_(this, "conv1",
             {.in = options.channels, .out = options.width, .kernel = 7, .stride = 2, .padding = 3, .bias = false}),
      bn1_(this, "bn1", {.channels = options.width, .relu = true}),
      pool_(this, "maxpool", {.kernel = 3, .stride = 2, .padding = 1}),
      fc_({.in = (Bottleneck::kExpansion * options.width) << (options.blocks.size() - 1), .out = options.classes}) {
  set_origin(origin_of("resnet50", options));
  std::int64_t in = options.width, width = options.width;
  for (std::size_t s = 0; s < options.blocks.size(); ++s, width *= 2) {
    Sub<Sequential>& stage = stages_.emplace_back(this, fmt::format("layer{}", s + 1));
    for (std::int64_t b = 0; b < options.blocks[s]; ++b) {
      stage->add(layer<Bottleneck>({.in = in, .width = width, .stride = s > 0 && b == 0 ? 2 : 1}));
      in = Bottleneck::kExpansion * width;
    }
  }
  child("fc", fc_);
  for (const NamedModule& m : modules()) {
    if (auto* conv = dynamic_cast<Conv2d*>(m.module)) init::kaiming_normal(conv->weight, {.fan = init::Fan::out});
  }
}

Tensor BottleneckResNet::forward(const Tensor& x) {
  Tensor y = pool_(bn1_(conv1_(x)));  // [N, width, H / 4, W / 4]
  for (Sub<Sequential>& stage : stages_) y = stage(y);
  return fc_(global_average_pool2d(y));  // [N, classes]
}

std::string BottleneckResNet::describe() const {
  return fmt::format("BottleneckResNet(width {}, stages of {} blocks)", options_.width,
                     fmt::join(options_.blocks, "-"));
}

std::shared_ptr<BottleneckResNet> resnet50(std::int64_t classes) {
  return std::make_shared<BottleneckResNet>(BottleneckResNetOptions{.classes = classes});
}

}  // namespace tandem::nn
