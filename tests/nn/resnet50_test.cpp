// ResNet-50 against PyTorch: names, parameter counts, shapes; a narrow one from a file that PyTorch saved, in f64; the
// real one of 25,557,032 parameters in f32, whose weights come from a formula that both sides know. The numbers stand
// in tests/golden; make_resnet_golden.py says how they were made.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/nn/model_file.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/models/resnet50.h>
#include <tandem/nn/summary.h>
#include <tandem/tandem.h>

#include "golden/golden_file.h"
#include "nn/error_text.h"

using namespace tandem;

namespace {

/// uniform() of make_resnet_golden.py: numbers in [-0.5, 0.5) by the number of the tensor and the place in it.
std::vector<double> uniform(std::uint64_t tensor, std::int64_t count) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    auto x = static_cast<std::uint32_t>((static_cast<std::uint64_t>(i) + tensor * 1000003) & 0xFFFFFFFF);
    x ^= x >> 16;
    x *= 0x7FEB352DU;
    x ^= x >> 15;
    x *= 0x846CA68BU;
    x ^= x >> 16;
    values.push_back(static_cast<double>(x) / 4294967296.0 - 0.5);
  }
  return values;
}

/// fill() of make_resnet_golden.py.
void fill(nn::Module& model) {
  std::uint64_t number = 0;
  for (const NamedTensor& p : model.parameters()) {
    const Shape shape = p.tensor.shape();
    std::vector<double> values = uniform(number++, p.tensor.size());
    const bool is_scale = shape.rank() == 1 && p.name.ends_with("weight");
    const double fan = shape.rank() > 1 ? static_cast<double>(p.tensor.size() / shape[0]) : 1;
    const double end = p.name.ends_with("bn3.weight") ? 0.2 : 1.0;
    for (double& v : values) {
      v = shape.rank() > 1 ? v * std::sqrt(24.0 / fan) : is_scale ? end * (1.0 + 0.5 * v) : 0.1 * v;
    }
    Array weights = p.tensor.value();  // a handle to the same numbers
    weights.copy_from(Array::from(values, shape).to(weights.dtype()));
  }
}

Array pictures(std::uint64_t tensor, const Shape& shape) {
  std::vector<double> values = uniform(tensor, shape.count());
  for (double& v : values) v *= 4;
  return Array::from(values, shape).to(DType::f32);
}

double largest_difference(const Array& a, const Array& b) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

struct Trained {
  Array logits, losses, evaluation;
  NamedArrays gradients;
};

/// Ten steps of SGD, as train() of make_resnet_golden.py.
Trained train(nn::Module& model, const Array& images, const Array& labels, double lr) {
  Optimizer optimizer(model.parameters(), momentum({.lr = lr, .momentum = 0.9, .weight_decay = 1e-4}));
  Trained found;
  std::vector<double> losses;
  for (int step = 0; step < 10; ++step) {
    const Tensor logits = model(images);
    const Tensor loss = cross_entropy(logits, labels);
    optimizer.zero_grad();
    loss.backward();
    if (step == 0) {
      found.logits = logits.value().clone();
      for (const NamedTensor& p : model.parameters()) found.gradients.push_back({p.name, p.tensor.grad().clone()});
    }
    optimizer.step();
    losses.push_back(loss.item());
  }
  found.losses = Array::from(losses, {10});
  model.evaluate();
  const NoGradGuard no_grad;
  found.evaluation = model(images).value();
  return found;
}

}  // namespace

TEST_CASE("resnet50: torchvision's names, shapes and parameter counts") {
  const auto model = nn::resnet50();
  CHECK(model->parameter_count() == 25557032);
  const NamedTensors state = model->state_dict();
  CHECK(state.size() == 320);
  CHECK(state.front().name == "conv1.weight");
  CHECK(state.back().name == "fc.bias");
  const auto has = [&](const std::string& name, const Shape& shape) {
    return std::any_of(state.begin(), state.end(),
                       [&](const NamedTensor& t) { return t.name == name && t.tensor.shape() == shape; });
  };
  CHECK(has("conv1.weight", {64, 3, 7, 7}));
  CHECK(has("layer1.0.downsample.0.weight", {256, 64, 1, 1}));
  CHECK(has("layer1.0.downsample.1.running_var", {256}));
  CHECK(has("layer3.5.conv2.weight", {256, 256, 3, 3}));
  CHECK(has("layer4.0.bn3.num_batches_tracked", {}));
  CHECK(has("fc.weight", {1000, 2048}));
  CHECK_FALSE(has("layer1.1.downsample.0.weight", {256, 256, 1, 1}));
  // The usual count of a picture of 224x224, batch norms and pooling left out: 4.09e9.
  CHECK(static_cast<double>(nn::summary(*model, {1, 3, 224, 224}).multiply_adds) ==
        doctest::Approx(4.09e9).epsilon(0.01));
  CHECK(nn::BottleneckResNet({.blocks = {3, 4, 23, 3}}).parameter_count() == 44549160);  // ResNet-101
}

TEST_CASE("resnet50: made by name, described, bad options refused") {
  const auto narrow = nn::make_model("resnet50", {{"width", 8}, {"classes", 3}});
  CHECK(narrow->describe() == "BottleneckResNet(width 8, stages of 3-4-6-3 blocks)");
  CHECK((*narrow)(Array::zeros({2, 3, 40, 33})).shape() == Shape{2, 3});
  CHECK(narrow->origin().name == "resnet50");
  CHECK(error_text([] { nn::BottleneckResNet({.blocks = {}}); }) ==
        "BottleneckResNet: there must be a stage, and a block in each: blocks ");
  CHECK(error_text([] {
          nn::BottleneckResNet({.blocks = {1, 0}});
        }) == "BottleneckResNet: there must be a stage, and a block in each: blocks 1-0");
  CHECK(error_text([] { nn::BottleneckResNet({.width = 0}); }) ==
        "BottleneckResNet: width must be in [1, 65536], and there are 8 stages at most: width 0, 4 stages");
}

TEST_CASE("resnet50: a narrow one from PyTorch's file has PyTorch's outputs, gradients and ten losses in f64") {
  const Safetensors file = golden::load("resnet50.safetensors");
  nn::BottleneckResNet model({.blocks = {2, 1, 1, 1}, .width = 8, .classes = 10});
  nn::load_weights(model, TANDEM_GOLDEN_DIR "/resnet50_small_initial.safetensors");
  model.to(DType::f64);
  const Array images = pictures(1000, {6, 3, 64, 48}).to(DType::f64);
  const Trained found = train(model, images, golden::at(file, "small/labels"), 0.05);
  CHECK(golden::relative_error(found.logits, golden::at(file, "small/logits")) <= 1e-12);
  int compared = 0;
  for (const NamedArray& gradient : found.gradients) {
    const Array* expected = file.find("small/grad/" + gradient.name);
    if (expected == nullptr) continue;
    CAPTURE(gradient.name);
    CHECK(golden::relative_error(gradient.array, *expected) <= 1e-8);
    ++compared;
  }
  CHECK(compared >= 40);
  CHECK(golden::relative_error(found.losses, golden::at(file, "small/losses")) <= 1e-9);
  CHECK(golden::relative_error(found.evaluation, golden::at(file, "small/evaluation")) <= 1e-8);
}

TEST_CASE("resnet50: the whole network in f32 is as near to the truth as PyTorch's own f32, for ten steps") {
  const Safetensors file = golden::load("resnet50.safetensors");
  const auto model = nn::resnet50();
  fill(*model);
  const Array images = pictures(1001, {4, 3, 96, 96}).to_layout(Layout::channels_last);
  const Trained found = train(*model, images, golden::at(file, "full/labels"), 2e-3);
  // Both round differently; four times PyTorch's distance from its own f64 is what is allowed.
  const auto as_near = [&](const Array& array, const std::string& name) {
    const Array &truth = golden::at(file, name), &peer = golden::at(file, name + "_f32");
    const double distance = largest_difference(array, truth), allowed = 4 * largest_difference(peer, truth);
    CAPTURE(name);
    CHECK(distance <= allowed);
  };
  as_near(found.logits, "full/logits");
  as_near(found.losses, "full/losses");
  as_near(found.evaluation, "full/evaluation");
  const std::vector<double> norms = golden::at(file, "full/grad_norms").to_vector<double>();
  REQUIRE(norms.size() == found.gradients.size());
  for (std::size_t i = 0; i < norms.size(); ++i) {
    CAPTURE(found.gradients[i].name);
    double square = 0;
    for (const double v : found.gradients[i].array.to_vector<double>()) square += v * v;
    CHECK(std::sqrt(square) == doctest::Approx(norms[i]).epsilon(1e-3));
  }
}
