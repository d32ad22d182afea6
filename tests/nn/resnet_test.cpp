// The residual networks: parameter counts, names, shapes, shortcuts, initial weights; lookup by name.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/models/resnet.h>

#include "nn/error_text.h"

using namespace tandem;

TEST_CASE("resnet: parameter counts of the literature") {
  CHECK(nn::resnet20()->parameter_count() == 269722);
  CHECK(nn::resnet32()->parameter_count() == 464154);
  CHECK(nn::resnet56()->parameter_count() == 853018);
  CHECK(nn::resnet18()->parameter_count() == 11173962);
  CHECK(nn::resnet18(100)->parameter_count() == 11220132);
  // ResNet-20 with 1x1 shortcuts.
  CHECK(nn::ResNet({.shortcut = nn::Shortcut::projection}).parameter_count() == 272474);
}

TEST_CASE("resnet: names are those of the PyTorch implementations") {
  const NamedTensors state = nn::resnet18()->state_dict();
  CHECK(state.size() == 122);
  CHECK(state.front().name == "conv1.weight");
  CHECK(state[1].name == "bn1.weight");
  CHECK(state[5].name == "bn1.num_batches_tracked");
  CHECK(state[6].name == "layer1.0.conv1.weight");
  CHECK(state.back().name == "linear.bias");
  const auto has = [&](const std::string& name, const Shape& shape) {
    for (const NamedTensor& t : state) {
      if (t.name == name) return t.tensor.shape() == shape;
    }
    return false;
  };
  CHECK(has("layer2.0.shortcut.0.weight", {128, 64, 1, 1}));
  CHECK(has("layer2.0.shortcut.1.running_var", {128}));
  CHECK(has("layer4.1.conv2.weight", {512, 512, 3, 3}));
  CHECK(has("linear.weight", {10, 512}));
  CHECK_FALSE(has("layer1.0.shortcut.0.weight", {64, 64, 1, 1}));
  CHECK(nn::resnet20()->state_dict().size() == 19 * 6 + 2);
}

TEST_CASE("resnet: images to logits, channels-last throughout, gradients everywhere") {
  nn::seed(0);
  const auto model = nn::resnet20(7);
  Array x = Array::empty({2, 3, 16, 16}, DType::f32, Layout::channels_last);
  Generator(1).fill_normal(x);
  const Tensor y = (*model)(x);
  CHECK(y.shape() == Shape{2, 7});
  cross_entropy(y, Array::from({1, 4}, {2}, DType::i64)).backward();
  for (const NamedTensor& p : model->parameters()) {
    CAPTURE(p.name);
    CHECK(p.tensor.has_grad());
  }
}

TEST_CASE("resnet: option A takes every second pixel and pads channels with zeros") {
  // With bn2's weight 0 only the shortcut is left: y = relu(shortcut(x)), and x is positive.
  nn::ResidualBlock block({.in = 2, .out = 4, .stride = 2, .shortcut = nn::Shortcut::zero_padded});
  for (const NamedTensor& p : block.parameters()) {
    if (p.name == "bn2.weight") nn::init::constant(p.tensor, 0);
  }
  Array x = Array::arange(2 * 2 * 5 * 4).to(DType::f32).reshape({2, 2, 5, 4});
  const Array y = block(x.to_layout(Layout::channels_last)).value();
  REQUIRE(y.shape() == Shape{2, 4, 3, 2});
  for (std::int64_t n = 0; n < 2; ++n) {
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int64_t j = 0; j < 2; ++j) {
        CHECK(y.at({n, 0, i, j}) == 0);
        CHECK(y.at({n, 1, i, j}) == x.at({n, 0, 2 * i, 2 * j}));
        CHECK(y.at({n, 2, i, j}) == x.at({n, 1, 2 * i, 2 * j}));
        CHECK(y.at({n, 3, i, j}) == 0);
      }
    }
  }
}

TEST_CASE("resnet: convolutions start from Kaiming's distribution") {
  nn::seed(3);
  const auto model = nn::resnet20();
  for (const NamedTensor& p : model->parameters()) {
    if (p.name != "layer3.1.conv1.weight") continue;  // 64 x 64 x 3 x 3
    double square = 0;
    for (const double v : p.tensor.value().to_vector<double>()) square += v * v;
    CHECK(square / static_cast<double>(p.tensor.size()) == doctest::Approx(2.0 / 576).epsilon(0.02));
  }
}

TEST_CASE("resnet: errors carry the path, bad options are refused") {
  const auto model = nn::resnet20();
  CHECK(error_text([&] {
          (*model)(Array::zeros({1, 1, 32, 32}));
        }) ==
        "layer \"conv1\" Conv2d(3 -> 16, kernel 3x3, padding 1, no bias): conv2d: x has 1 channels, w expects 3: x [1, "
        "1, 32, 32], w [16, 3, 3, 3]");
  CHECK(error_text([] { nn::ResNet({.widths = {}}); }) ==
        "ResNet: there must be a stage and a block in it: 0 stages, 3 blocks");
  CHECK(error_text([] { nn::ResNet({.blocks = 0}); }) ==
        "ResNet: there must be a stage and a block in it: 3 stages, 0 blocks");
  CHECK(error_text([] {
          nn::ResNet({.widths = {16, 8}});
        }) == "ResidualBlock: a zero-padded shortcut cannot drop channels: in 16, out 8; use Shortcut::projection");
  CHECK(model->describe() == "ResNet(3 stages 16-32-64 of 3 blocks, zero-padded shortcuts)");
}

TEST_CASE("make_model: by name, with suggestions") {
  CHECK(nn::make_model("resnet20")->parameter_count() == 269722);
  CHECK(nn::make_model("resnet56", {{"classes", 100}})->parameter_count() == 853018 + 65 * 90);
  const std::vector<std::string> classifiers = nn::model_names(nn::ModelTask::classification);
  CHECK(classifiers == std::vector<std::string>{"resnet20", "resnet32", "resnet56", "resnet18", "resnet50", "convnet"});
  for (const std::string& name : classifiers)
    CHECK((name == "convnet" || nn::describe_model(name).find("ResNet-") == 0));
  std::string all;
  for (const std::string& name : nn::model_names()) all += (all.empty() ? "" : ", ") + name;
  CHECK(all.starts_with(
      "resnet20, resnet32, resnet56, resnet18, resnet50, resnet, convnet, autoencoder, vae, lstm-small, lstm-medium, "
      "lstm-large, awd-lstm, char-lstm, lstm, transformer"));
  CHECK(error_text([] { nn::make_model("resnet21"); }).rfind("model: \"resnet21\" is not known: known are ", 0) == 0);
  CHECK(error_text([] { nn::make_model("rsnet56"); }) ==
        "model: \"rsnet56\" is not known: known are " + all + "; did you mean \"resnet56\"?");
  CHECK(error_text([] { nn::make_model("alexnet-with-a-long-name"); }) ==
        "model: \"alexnet-with-a-long-name\" is not known: known are " + all);
  CHECK_THROWS_AS(nn::make_model("x"), UsageError);
}
