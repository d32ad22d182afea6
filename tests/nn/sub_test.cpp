// Sub: a child in one line; and the error for a layer that is called without being registered.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/embedding.h>
#include <tandem/nn/init.h>
#include <tandem/nn/layer_stack.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>
#include <tandem/nn/sub.h>
#include <tandem/nn/tied_linear.h>

#include "nn/error_text.h"

using namespace tandem;
using nn::layer, nn::Sub;

namespace {

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> all;
  for (const NamedTensor& t : tensors) all.push_back(t.name);
  return all;
}
using Names = std::vector<std::string>;

/// Every way to make a child.
struct Model : nn::Module {
  explicit Model(bool has_norm) {
    if (has_norm) norm = {this, "norm", {.channels = 4}};
    for (int i = 0; i < 2; ++i)
      more.emplace_back(this, "more" + std::to_string(i), nn::Linear::Options{.in = 4, .out = 4});
  }
  Tensor forward(const Tensor& ids) override {
    Tensor y = features(embedding(ids));
    if (norm) y = norm(y);
    for (Sub<nn::Linear>& m : more) y = m(y);
    return output(chosen(dropout(act(y))));
  }

  Sub<nn::Embedding> embedding{this, "embedding", {.tokens = 5, .width = 4}};
  Sub<nn::Sequential> features{this, "features", {layer<nn::Linear>({.in = 4, .out = 4}), layer<nn::ReLU>()}};
  Sub<nn::ReLU> act{this, "act"};
  Sub<nn::Dropout> dropout{this, "dropout"};
  Sub<nn::Module> chosen{this, "chosen", std::make_shared<nn::Tanh>()};
  Sub<nn::Module> none{this, "none", std::shared_ptr<nn::Module>()};
  Sub<nn::TiedLinear> output{this, "output", {.bias = false}, embedding->weight};
  Sub<nn::BatchNorm2d> norm;
  std::vector<Sub<nn::Linear>> more;
};

/// Calls a layer that it holds and has not registered.
struct Forgetful : nn::Module {
  nn::Linear linear;
  Forgetful() : linear({.in = 2, .out = 2}) {}
  Tensor forward(const Tensor& x) override { return linear(x); }
};

}  // namespace

TEST_CASE("sub: children are built and registered in the order of declaration") {
  nn::seed(1);
  Model model(true);
  CHECK(names(model.state_dict()) == Names{"embedding.weight", "features.0.weight", "features.0.bias", "norm.weight",
                                           "norm.bias", "norm.running_mean", "norm.running_var",
                                           "norm.num_batches_tracked", "more0.weight", "more0.bias", "more1.weight",
                                           "more1.bias"});
  CHECK(names(model.random_state()) == Names{"dropout.generator"});
  CHECK(model.output->weight.state() == model.embedding->weight.state());
  CHECK(bool(model.norm));
  CHECK_FALSE(bool(model.none));
  CHECK(model(Tensor({0, 1, 4}, {3}, DType::i64)).shape() == Shape{3, 5});
  model.evaluate();
  CHECK_FALSE(model.dropout->is_training());

  // The same draws as layers that are declared one by one.
  nn::seed(1);
  nn::Embedding embedding({.tokens = 5, .width = 4});
  nn::Linear linear({.in = 4, .out = 4});
  CHECK(identical(embedding.weight.value(), model.embedding->weight.value()));
  CHECK(identical(linear.weight.value(), model.state_dict()[1].tensor.value()));
}

TEST_CASE("sub: without a layer there is no child, and calling it says so") {
  Model model(false);
  CHECK_FALSE(bool(model.norm));
  CHECK(model.children().size() == 8);
  CHECK(error_text([&] { model.none(Array::zeros({1})); }) ==
        "Sub: there is no layer to call; ask it first: if (sub) ...");
  CHECK(model(Tensor({0, 1, 4}, {3}, DType::i64)).shape() == Shape{3, 5});
}

TEST_CASE("a layer that is called without being registered is an error that names both") {
  Forgetful model;
  const std::string rest =
      "Linear(2 -> 2): it is called but not registered here: it would be neither trained, saved nor switched; declare "
      "it "
      "by Sub or register it by child(); borrow() it where that is meant";
  CHECK(error_text([&] { model(Array::zeros({1, 2})); }) == "Forgetful: " + rest);
  nn::Sequential whole{layer<nn::ReLU>(), std::make_shared<Forgetful>()};
  CHECK(error_text([&] { whole(Array::zeros({1, 2})); }) == "layer \"1\" Forgetful: " + rest);
  CHECK(model.linear(Array::zeros({1, 2})).shape() == Shape{1, 2});  // from outside any module: as always
}

TEST_CASE("a layer may call what stands further below, what it borrowed, and itself") {
  struct Below : nn::Module {
    Sub<nn::Sequential> features{this, "features", {layer<nn::Sequential>(), layer<nn::ReLU>()}};
    Tensor forward(const Tensor& x) override { return (*features)[1](x); }
  } below;
  CHECK(below(Array::full({1}, 2)).item() == 2);

  const auto teacher = std::make_shared<nn::Sequential>();
  teacher->add(layer<nn::ReLU>());
  struct Student : nn::Module {
    explicit Student(nn::Sequential& t) : teacher(t) { borrow(t); }
    Tensor forward(const Tensor& x) override { return teacher(x) + teacher[0](x); }
    nn::Sequential& teacher;
  } student(*teacher);
  CHECK(student(Array::full({1}, 2)).item() == 4);
  CHECK(student.modules().size() == 1);

  struct Partner : nn::Module {
    using Module::borrow;
    Tensor forward(const Tensor& x) override { return stranger(x); }
    nn::ReLU stranger;
  } one, other;  // each borrows the other, and neither its layer
  one.borrow(other);
  other.borrow(one);
  CHECK_THROWS_AS(one(Array::full({1}, 2)), Error);

  struct Again : nn::Module {
    Tensor forward(const Tensor& x) override { return x.item() > 1 ? (*this)(x * 0.5) : x; }
  } again;
  CHECK(again(Array::full({1}, 8)).item() == 1);
}

TEST_CASE("a layer of two parents serves both, in turn") {
  const auto shared = layer<nn::Linear>({.in = 2, .out = 2});
  nn::Sequential a{shared}, b{shared};
  Forgetful stranger;
  for (int i = 0; i < 2; ++i) {
    a(Array::zeros({1, 2}));
    b(Array::zeros({1, 2}));
  }
  CHECK_THROWS_AS(stranger(Array::zeros({1, 2})), Error);
}

TEST_CASE("sub: a model without a constructor, on the heap") {
  struct Head : nn::Module {
    Sub<nn::Linear> hidden{this, "hidden", {.in = 2, .out = 3}}, out{this, "out", {.in = 3, .out = 1, .bias = false}};
    Tensor forward(const Tensor& x) override { return out(relu(hidden(x))); }
  };
  const nn::Sequential whole{std::make_shared<Head>()};
  CHECK(names(whole.parameters()) == Names{"0.hidden.weight", "0.hidden.bias", "0.out.weight"});
  CHECK(whole[0](Array::zeros({4, 2})).shape() == Shape{4, 1});
}

TEST_CASE("layer stack: layers of different options") {
  nn::LayerStack<nn::Linear> stack({{.in = 2, .out = 3}, {.in = 3, .out = 4}});
  int calls = 0;
  const auto hook = stack.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) { ++calls; });
  CHECK(stack(Array::zeros({1, 2})).shape() == Shape{1, 4});
  CHECK(calls == 1);
  CHECK(names(stack.parameters()) == Names{"0.weight", "0.bias", "1.weight", "1.bias"});
}
