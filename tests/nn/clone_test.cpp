// Copies of models and of named tensors: equal, and apart.
#include <doctest/doctest.h>

#include <memory>

#include <tandem/autograd/ops.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/clone.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/flatten.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/models/lstm_lm.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/pool2d.h>
#include <tandem/nn/sequential.h>
#include <tandem/optim/optimizer.h>
#include <tandem/optim/sgd.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

void check_equal(const NamedTensors& a, const NamedTensors& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(a[i].name);
    CHECK(a[i].name == b[i].name);
    CHECK(identical(a[i].tensor.value(), b[i].tensor.value()));
    CHECK(a[i].tensor.value().storage() != b[i].tensor.value().storage());
    CHECK(a[i].tensor.requires_grad() == b[i].tensor.requires_grad());
  }
}

void check_clone(const nn::Module& model, const nn::Module& copy) {
  check_equal(model.state_dict(), copy.state_dict());
  check_equal(model.random_state(), copy.random_state());
}

struct HandWritten : nn::Module {
  nn::Linear fc;
  HandWritten() : fc({.in = 2, .out = 2}) { child("fc", fc); }
  Tensor forward(const Tensor& x) override { return fc(x); }
};

struct Fresh : HandWritten {
  std::shared_ptr<nn::Module> fresh() const override { return std::make_shared<Fresh>(); }
};

struct Derived : nn::Linear {
  Derived() : Linear({.in = 1, .out = 1}) {}
};

}  // namespace

TEST_CASE("clone: parameters, buffers, random state, behaviour and what is frozen") {
  nn::seed(5);
  nn::Sequential model{nn::layer<nn::Conv2d>({.in = 2, .out = 3, .kernel = 3}),
                       nn::layer<nn::BatchNorm2d>({.channels = 3}),
                       nn::layer<nn::ReLU>(),
                       nn::layer<nn::MaxPool2d>({.kernel = 2}),
                       nn::layer<nn::Flatten>(),
                       nn::layer<nn::Dropout>({.p = 0.5}),
                       nn::layer<nn::Linear>({.in = 12, .out = 4})};
  const Array x = Array::full({2, 2, 6, 6}, 0.5);
  model(x);  // moves running statistics and the dropout's step
  model[0].freeze();
  model[1].evaluate();
  const std::uint64_t position = nn::default_generator().position();
  const auto copy = nn::clone(model);
  CHECK(nn::default_generator().position() == position);
  check_clone(model, *copy);
  CHECK(copy->is_training());
  CHECK_FALSE(dynamic_cast<nn::Sequential&>(*copy)[1].is_training());
  CHECK(identical(model(x).value(), (*copy)(x).value()));  // the same dropout mask
  copy->parameters()[1].tensor.mutable_value().fill(9);
  CHECK(model.parameters()[1].tensor.value().at({0}) != 9);
}

TEST_CASE("clone: models by name, tied parameters, f64, and while an optimizer holds the original") {
  nn::seed(6);
  const auto resnet = nn::make_model("resnet20", {{"classes", 3}});
  resnet->to(DType::f64);
  const auto same = nn::clone(*resnet);
  check_clone(*resnet, *same);
  CHECK(same->origin().name == "resnet20");

  nn::LstmLanguageModel tied({.tokens = 5, .width = 4, .hidden = {4}, .tied = true});
  const Optimizer optimizer(tied.parameters(), sgd({.lr = 0.1}));
  const auto other = nn::clone(tied);
  check_clone(tied, *other);
  CHECK(other->parameter_count() == tied.parameter_count());

  const auto shared = nn::layer<nn::Linear>({.in = 2, .out = 2});
  const nn::Sequential twice{shared, nn::layer<nn::ReLU>(), shared};
  CHECK(nn::clone(twice)->parameters().size() == 2);
  check_clone(twice, *nn::clone(twice));
}

TEST_CASE("clone: a class of one's own overrides fresh, or is told to") {
  const Fresh good;
  check_clone(good, *nn::clone(good));
  CHECK(error_text([] { nn::clone(HandWritten()); }) ==
        "HandWritten: a model of this kind cannot be made again: make_model does not know it; register_model it, or "
        "override fresh()");
  CHECK(error_text([] { nn::clone(Derived()); }) ==
        "fresh: Linear(1 -> 1) makes Linear(1 -> 1): another class; override fresh() in the class itself");
}

TEST_CASE("clone of named tensors: values alone") {
  const NamedTensors tensors{{"a", Tensor(Array::full({2}, 1), true)}, {"none", Tensor()}};
  const NamedTensors copy = clone(tensors);
  CHECK(copy[0].name == "a");
  CHECK_FALSE(copy[0].tensor.requires_grad());
  CHECK_FALSE(copy[1].tensor.defined());
  Tensor(tensors[0].tensor).mutable_value().fill(2);
  CHECK(copy[0].tensor.value().at({1}) == 1);
}
