// See workloads.h.
#include "workloads.h"

#include <map>

#include <tandem/tandem.h>

namespace tandem {
namespace {

template <class Loss>
Workload workload(std::shared_ptr<nn::Module> model, const Rule& rule, Loss loss_of, int steps_a_time = 1) {
  auto optimizer = std::make_shared<Optimizer>(model->parameters(), rule);
  const auto step = [model, optimizer, loss_of] {
    optimizer->zero_grad();
    const Tensor loss = loss_of(*model);
    loss.backward();
    optimizer->step();
    return loss.item();
  };
  return {model->parameter_count(), step, steps_a_time};
}

/// Of a network so small that its passes are replayed, unless eager; loss_of(y, target) of its output for x.
template <bool eager, class Loss>
Workload small(std::shared_ptr<nn::Module> model, const Rule& rule, const Array& x, const Array& target, Loss loss_of,
               int steps_a_time) {
  if (eager) {
    return workload(
        model, rule, [x, target, loss_of](nn::Module& m) { return loss_of(m(x), target); }, steps_a_time);
  }
  auto optimizer = std::make_shared<Optimizer>(model->parameters(), rule);
  auto pass = std::make_shared<Replay>(
      [model, loss_of](const std::vector<Tensor>& in) { return loss_of((*model)(in[0]), in[1]); });
  const auto step = [optimizer, pass, x, target] {
    optimizer->zero_grad();
    const Tensor loss = (*pass)(x, target);
    optimizer->step();
    return loss.item();
  };
  return {model->parameter_count(), step, steps_a_time, true};
}

const std::vector<std::int64_t> kResNet18Widths = {64, 128, 256, 512}, kResNet20Widths = {16, 32, 64};
constexpr int kCycle = 5;  // of Lookahead: its steps are timed by whole cycles

using Layers = std::initializer_list<std::shared_ptr<nn::Module>>;

std::shared_ptr<nn::Module> sequential(Layers layers) { return std::make_shared<nn::Sequential>(layers); }

Array normal(const Shape& shape) {
  Generator generator(0);
  Array x = Array::empty(shape, DType::f32, shape.rank() == 4 ? Layout::channels_last : Layout::row_major);
  generator.fill_normal(x);
  return x;
}

Array uniform(const Shape& shape) {
  Generator generator(0);
  Array x = Array::empty(shape, DType::f32, Layout::channels_last);
  generator.fill_uniform(x, 0, 1);
  return x;
}

/// i64 numbers below `end`.
Array integers(const Shape& shape, std::int64_t end) {
  Generator generator(0);
  Array ids = Array::empty(shape, DType::i64);
  for (std::int64_t i = 0; i < ids.size(); ++i) ids.data<std::int64_t>()[i] = generator.below(end);
  return ids;
}

/// Cross-entropy of a network's ten classes on random inputs of this shape.
Workload classifier(std::shared_ptr<nn::Module> model, const Shape& shape, const Rule& rule, int steps_a_time = 1) {
  const Array x = normal(shape), labels = integers({shape[0]}, 10);
  return workload(
      std::move(model), rule, [x, labels](nn::Module& m) { return cross_entropy(m(x), labels); }, steps_a_time);
}

/// The optimizer's step alone, on the parameters of resnet18 with gradients that stay; its "loss" is the first weight.
Workload optimizer_alone(const Rule& rule) {
  const std::shared_ptr<nn::Module> model = residual_model(kResNet18Widths, 2);
  auto optimizer = std::make_shared<Optimizer>(model->parameters(), rule);
  Generator generator(0);
  for (NamedTensor& entry : model->parameters()) {
    Array gradient = Array::empty(entry.tensor.shape());
    generator.fill_normal(gradient, 0, 1e-3);
    entry.tensor.accumulate_grad(gradient);
  }
  const auto step = [model, optimizer] {
    optimizer->step();
    return model->parameters().front().tensor.value().to_vector<double>().front();
  };
  return {model->parameter_count(), step, kCycle};
}

/// 2 -> 16 -> 1 with tanh, four examples: what a call costs.
template <bool eager>
Workload smallest(const Rule& rule) {
  return small<eager>(sequential({nn::layer<nn::Linear>({.in = 2, .out = 16}), nn::layer<nn::Tanh>(),
                                  nn::layer<nn::Linear>({.in = 16, .out = 1})}),
                      rule, normal({4, 2}), normal({4, 1}), mse_loss, 200);
}

/// Linear layers of these sizes with ReLU between them.
std::shared_ptr<nn::Module> perceptron(const std::vector<std::int64_t>& sizes) {
  auto model = std::make_shared<nn::Sequential>();
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    if (i > 0) model->add(nn::layer<nn::ReLU>());
    model->add(nn::layer<nn::Linear>({.in = sizes[i], .out = sizes[i + 1]}));
  }
  return model;
}

/// 64-128-64-10, 32 examples of ten classes.
template <bool eager>
Workload small_classifier(const Rule& rule) {
  return small<eager>(
      perceptron({64, 128, 64, 10}), rule, normal({32, 64}), integers({32}, 10),
      [](const Tensor& y, const Tensor& labels) { return cross_entropy(y, labels); }, 50);
}

/// LeNet-5 as it is trained today (LeCun et al. 1998, with ReLU and max pooling): 1x28x28.
std::shared_ptr<nn::Module> lenet(std::int64_t first, std::int64_t second) {
  return sequential({nn::layer<nn::Conv2d>({.in = 1, .out = first, .kernel = 5, .padding = 2}), nn::layer<nn::ReLU>(),
                     nn::layer<nn::MaxPool2d>({.kernel = 2}),
                     nn::layer<nn::Conv2d>({.in = first, .out = second, .kernel = 5}), nn::layer<nn::ReLU>(),
                     nn::layer<nn::MaxPool2d>({.kernel = 2}), nn::layer<nn::Flatten>(),
                     nn::layer<nn::Linear>({.in = 25 * second, .out = 120}), nn::layer<nn::ReLU>(),
                     nn::layer<nn::Linear>({.in = 120, .out = 84}), nn::layer<nn::ReLU>(),
                     nn::layer<nn::Linear>({.in = 84, .out = 10})});
}

/// Three strided convolutions and their transposes, 3-32-64-128 channels; 128 images in [0, 1].
Workload autoencoder(const Rule& rule) {
  const auto down = [](std::int64_t in, std::int64_t out) {
    return nn::layer<nn::Conv2d>({.in = in, .out = out, .kernel = 3, .stride = 2, .padding = 1});
  };
  const auto up = [](std::int64_t in, std::int64_t out) {
    return nn::layer<nn::ConvTranspose2d>({.in = in, .out = out, .kernel = 4, .stride = 2, .padding = 1});
  };
  const Array images = uniform({128, 3, 32, 32});
  return workload(sequential({down(3, 32), nn::layer<nn::ReLU>(), down(32, 64), nn::layer<nn::ReLU>(), down(64, 128),
                              nn::layer<nn::ReLU>(), up(128, 64), nn::layer<nn::ReLU>(), up(64, 32),
                              nn::layer<nn::ReLU>(), up(32, 3), nn::layer<nn::Sigmoid>()}),
                  rule, [images](nn::Module& m) { return mse_loss(m(images), images); });
}

/// Logits [.., .., vocabulary] against the ids themselves.
Tensor loss_of_ids(const Tensor& logits, const Array& ids) {
  return cross_entropy(flatten(logits, 0, 1), Tensor(ids.reshape({ids.size()})));
}

/// The language model of Zaremba et al. without dropout: 35 steps of 20 texts, 10000 words, 2 x 650.
Workload lstm(const Rule& rule) {
  const Array ids = integers({35, 20}, 10000);  // [T, B]
  const auto model = std::make_shared<nn::LstmLanguageModel>(nn::LstmLanguageModelOptions{.tokens = 10000});
  return workload(model, rule, [ids](nn::Module& m) { return loss_of_ids(m(ids), ids); });
}

/// Pre-norm causal decoder: 4 layers, width 256, 4 heads, feed-forward 1024 with GELU.
class CausalTransformer : public nn::Module {
 public:
  explicit CausalTransformer(std::int64_t vocabulary)
      : embedding_({.tokens = vocabulary, .width = 256}),
        position_({.width = 256, .positions = 128}),
        layers_(4, {.width = 256,
                    .heads = 4,
                    .feedforward = 1024,
                    .dropout = 0,
                    .activation = nn::TransformerLayerOptions::Activation::gelu,
                    .norm_first = true}),
        head_({.in = 256, .out = vocabulary}) {
    child("embedding", embedding_);
    child("position", position_);
    child("layers", layers_);
    child("head", head_);
  }

 protected:
  Tensor forward(const Tensor& ids) override {
    const auto run = [](nn::TransformerEncoderLayer& layer, std::size_t, const Tensor& v) {
      return layer(v, {.causal = true});
    };
    return head_(layers_(position_(embedding_(ids)), run));
  }

 private:
  nn::Embedding embedding_;
  nn::LearnedPosition position_;
  nn::LayerStack<nn::TransformerEncoderLayer> layers_;
  nn::Linear head_;
};

Workload transformer(const Rule& rule) {
  const Array ids = integers({16, 128}, 1000);  // [B, T]
  return workload(std::make_shared<CausalTransformer>(1000), rule,
                  [ids](nn::Module& m) { return loss_of_ids(m(ids), ids); });
}

struct Entry {
  Rule rule;
  std::function<Workload(const Rule& rule)> make;
  std::function<Workload(const Rule& rule)> make_eager = nullptr;  // of those that are replayed
};

const std::map<std::string, Entry>& table() {
  static const Rule kMomentum = momentum({.lr = 0.01, .momentum = 0.9}), kAdam = adam({.lr = 1e-3});
  static const auto resnet18 = [](const Rule& rule) {
    return classifier(residual_model(kResNet18Widths, 2), {128, 3, 32, 32}, rule,
                      rule.describe().rfind("lookahead", 0) == 0 ? kCycle : 1);
  };
  static const std::map<std::string, Entry> entries{
      {"resnet18", {kMomentum, resnet18}},
      {"resnet18_lookahead", {lookahead(kMomentum, {.k = kCycle}), resnet18}},
      {"resnet20",
       {kMomentum,
        [](const Rule& rule) {
          return classifier(residual_model(kResNet20Widths, 3), {128, 3, 32, 32}, rule);
        }}},
      {"autoencoder", {kAdam, autoencoder}},
      {"lstm", {kMomentum, lstm}},
      {"transformer", {kAdam, transformer}},
      {"mlp", {kAdam, smallest<false>, smallest<true>}},
      {"mlp_64", {kAdam, small_classifier<false>, small_classifier<true>}},
      {"mlp_784",
       {kAdam,
        [](const Rule& rule) {
          return classifier(perceptron({784, 256, 128, 10}), {64, 784}, rule, 10);
        }}},
      {"lenet",
       {kAdam,
        [](const Rule& rule) {
          return classifier(lenet(6, 16), {64, 1, 28, 28}, rule, 5);
        }}},
      {"lenet_wide",
       {kAdam,
        [](const Rule& rule) {
          return classifier(lenet(32, 64), {64, 1, 28, 28}, rule);
        }}},
      {"optimizer_momentum", {kMomentum, optimizer_alone}},
      {"optimizer_adam", {kAdam, optimizer_alone}},
      {"optimizer_lookahead_adam", {lookahead(kAdam, {.k = kCycle}), optimizer_alone}},
  };
  return entries;
}

}  // namespace

std::shared_ptr<nn::Module> residual_model(const std::vector<std::int64_t>& widths, int blocks) {
  return std::make_shared<nn::ResNet>(
      nn::ResNetOptions{.widths = widths, .blocks = blocks, .shortcut = nn::Shortcut::projection});
}

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : table()) names.push_back(name);
  return names;
}

Workload make_workload(const std::string& name, const std::string& rule, bool eager) {
  const auto found = table().find(name);
  if (found == table().end()) fail("benchmark", "no workload \"" + name + "\"");
  constexpr std::int64_t kLength = 1000;  // of what a schedule in the rule counts by
  const Entry& entry = found->second;
  const auto& make = eager && entry.make_eager ? entry.make_eager : entry.make;
  return make(rule.empty() ? entry.rule : parse_rule(rule, kLength));
}

}  // namespace tandem
