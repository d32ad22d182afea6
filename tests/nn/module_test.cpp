// Module: names, order, the layer path in errors, behaviour, freezing, conversion.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>

#include "nn/error_text.h"

using namespace tandem;
using nn::layer;

namespace {

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> all;
  for (const NamedTensor& t : tensors) all.push_back(t.name);
  return all;
}

using Names = std::vector<std::string>;

struct Classifier : nn::Module {
  nn::Sequential features;
  nn::Linear head;
  Classifier()
      : features{layer<nn::Conv2d>({.in = 3, .out = 16, .padding = 1}), layer<nn::BatchNorm2d>({.channels = 16}),
                 layer<nn::Conv2d>({.in = 16, .out = 32})},
        head({.in = 32, .out = 10}) {
    child("features", features);
    child("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(global_average_pool2d(features(x))); }
};

/// Registers one thing under a name, for the errors of registration.
struct Registering : nn::Module {
  template <class F>
  explicit Registering(F&& f) {
    f(*this);
  }
  using Module::buffer, Module::child, Module::parameter;
  Tensor forward(const Tensor& x) override { return x; }
};

}  // namespace

TEST_CASE("module: parameters and buffers have PyTorch's names and order") {
  Classifier model;
  CHECK(names(model.parameters()) == Names{"features.0.weight", "features.0.bias", "features.1.weight",
                                           "features.1.bias", "features.2.weight", "features.2.bias", "head.weight",
                                           "head.bias"});
  CHECK(names(model.buffers()) ==
        Names{"features.1.running_mean", "features.1.running_var", "features.1.num_batches_tracked"});
  CHECK(names(model.state_dict()) == Names{"features.0.weight", "features.0.bias", "features.1.weight",
                                           "features.1.bias", "features.1.running_mean", "features.1.running_var",
                                           "features.1.num_batches_tracked", "features.2.weight", "features.2.bias",
                                           "head.weight", "head.bias"});
  CHECK(model.parameter_count() == 16 * 27 + 16 + 32 + 32 * 144 + 32 + 330);
  for (const NamedTensor& p : model.parameters()) CHECK(p.tensor.requires_grad());
  for (const NamedTensor& b : model.buffers()) CHECK_FALSE(b.tensor.requires_grad());
}

TEST_CASE("module: an error names the layer and its whole path") {
  Classifier model;
  CHECK(error_text([&] {
          model.features[2](Array::zeros({8, 3, 32, 32}));
        }) ==
        "layer \"2\" Conv2d(16 -> 32, kernel 3x3): conv2d: x has 3 channels, w expects 16: x [8, 3, 32, 32], w [32, "
        "16, 3, 3]");
  const std::string text = error_text([&] { model(Array::zeros({8, 4, 32, 32})); });
  CHECK(text ==
        "layer \"features.0\" Conv2d(3 -> 16, kernel 3x3, padding 1): conv2d: x has 4 channels, w expects 3: x [8, 4, "
        "32, 32], w [16, 3, 3, 3]");
  nn::Linear alone({.in = 3, .out = 2});
  CHECK(error_text([&] { alone(Array::zeros({1, 4})); }).rfind("Linear(3 -> 2): linear: ", 0) == 0);
  try {
    model(Array::zeros({8, 4, 32, 32}));
    FAIL("must throw");
  } catch (const Error& error) {
    CHECK(error.layer_path() == "features.0");
  }
}

TEST_CASE("module: a description is the class by default") {
  Classifier model;
  CHECK(model.describe() == "Classifier");
  CHECK(model.features.describe() == "Sequential");
}

TEST_CASE("module: names are given once, not empty, without dots") {
  const Array one = Array::scalar(1);
  CHECK(error_text([&] { Registering([&](Registering& m) { m.parameter("", one); }); }) ==
        "Registering: a parameter, buffer or child has no name");
  CHECK(error_text([&] { Registering([&](Registering& m) { m.parameter("a.b", one); }); }) ==
        "Registering: the name \"a.b\" holds a dot; dots join the names of a path");
  CHECK(error_text([&] {
          Registering([&](Registering& m) {
            m.parameter("w", one);
            m.buffer("w", one);
          });
        }) == "Registering: the name \"w\" is registered twice");
  CHECK(error_text([&] { Registering([&](Registering& m) { m.parameter("w", Tensor()); }); }) ==
        "Registering: \"w\" is registered without a value");
  CHECK(error_text([&] { Registering([&](Registering& m) { m.child("me", m); }); }) ==
        "Registering: \"me\" is this module or one above it");
}

TEST_CASE("module: training behaviour reaches every module below") {
  Classifier model;
  CHECK(model.is_training());
  model.evaluate();
  for (const nn::NamedModule& m : model.modules()) CHECK_FALSE(m.module->is_training());
  model.features[1].train();
  CHECK(model.features[1].is_training());
  CHECK_FALSE(model.is_training());
  model.train();
  for (const nn::NamedModule& m : model.modules()) CHECK(m.module->is_training());
}

TEST_CASE("module: modules from the root, apply from the leaves") {
  Classifier model;
  Names down, up;
  for (const nn::NamedModule& m : model.modules()) down.push_back(m.name);
  CHECK(down == Names{"", "features", "features.0", "features.1", "features.2", "head"});
  model.apply([&](nn::Module& m) { up.push_back(m.describe()); });
  CHECK(up.front() == "Linear(32 -> 10)");
  CHECK(up.back() == "Classifier");
  CHECK(up.size() == 6);
  CHECK(model.children().size() == 2);
  CHECK(model.children()[1].name == "head");
}

TEST_CASE("module: frozen parameters get no gradient, the others do") {
  nn::seed(0);
  Classifier model;
  model.features.freeze();
  Array x = Array::empty({2, 3, 8, 8});
  Generator(1).fill_normal(x);
  sum(model(x)).backward();
  for (const NamedTensor& p : model.parameters()) {
    CAPTURE(p.name);
    CHECK(p.tensor.has_grad() == (p.name.rfind("head.", 0) == 0));
  }
  model.unfreeze();
  sum(model(x)).backward();
  for (const NamedTensor& p : model.parameters()) CHECK(p.tensor.has_grad());
}

TEST_CASE("module: a tied parameter appears once and gets both gradients") {
  auto shared = layer<nn::Linear>({.in = 2, .out = 2, .bias = false});
  shared->weight.mutable_value().copy_from(Array::from({1, 2, 3, 4}, {2, 2}));
  nn::Sequential model{shared, shared};
  CHECK(names(model.parameters()) == Names{"0.weight"});
  CHECK(model.modules().size() == 2);
  sum(model(Tensor({1, 0}, {1, 2}))).backward();
  // y = w w x with x = (1, 0): d(sum y)/dw_ij = (sum_k w_ki) x_j + (w x)_j.
  CHECK(shared->weight.grad().to_vector<double>() == std::vector<double>{4 + 1, 3, 6 + 1, 3});
}

TEST_CASE("module: to(f64) converts floating state in place") {
  Classifier model;
  const Tensor weight = model.head.weight;
  const std::vector<double> before = weight.value().to_vector<double>();
  model.to(DType::f64);
  for (const NamedTensor& t : model.state_dict()) {
    CAPTURE(t.name);
    CHECK(t.tensor.dtype() == (t.name == "features.1.num_batches_tracked" ? DType::i64 : DType::f64));
  }
  CHECK(weight.dtype() == DType::f64);  // handles follow
  CHECK(weight.value().to_vector<double>() == before);
  CHECK(model(Array::zeros({2, 3, 8, 8}, DType::f64)).dtype() == DType::f64);
  CHECK(error_text([&] { model.to(DType::i64); }) ==
        "Module::to: parameters cannot be i64; f32 and f64 can be trained");

  int owner = 0;
  model.head.weight.state()->owner = &owner;
  CHECK(error_text([&] { model.to(DType::f32); }) ==
        "Module::to: \"head.weight\" belongs to an Optimizer; convert before binding");
  CHECK(model.head.bias.dtype() == DType::f64);
  model.head.weight.state()->owner = nullptr;
}

TEST_CASE("module: parameters by a pattern, and the others") {
  Classifier model;
  const NamedSplit biases = nn::parameters(model, "*.bias");
  CHECK(names(biases.matching) == Names{"features.0.bias", "features.1.bias", "features.2.bias", "head.bias"});
  CHECK(names(biases.others) == Names{"features.0.weight", "features.1.weight", "features.2.weight", "head.weight"});
  CHECK(biases.matching[3].tensor.state() == model.head.bias.state());
  CHECK(names(nn::parameters(model, "features.[02].*").matching) ==
        Names{"features.0.weight", "features.0.bias", "features.2.weight", "features.2.bias"});
  CHECK(names(split_by_name(biases.others, "head.weigh?").matching) == Names{"head.weight"});
  CHECK(nn::parameters(model, "*").others.empty());
  CHECK(error_text([&] { nn::parameters(model, "conv*"); }) ==
        "parameters: no name matches \"conv*\": the first is \"features.0.weight\", the last \"head.bias\"");
  CHECK_THROWS_AS(split_by_name({}, "*"), UsageError);
}
