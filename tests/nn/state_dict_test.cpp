// State dict: round trips, what an error lists, and that an error changes nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/models/resnet.h>
#include <tandem/nn/sequential.h>

#include "nn/error_text.h"

using namespace tandem;
using nn::layer;

namespace {

nn::Sequential small() {
  return {layer<nn::Linear>({.in = 2, .out = 3}), layer<nn::BatchNorm2d>({.channels = 3}),
          layer<nn::Linear>({.in = 3, .out = 1})};
}

NamedTensors copies(const NamedTensors& state) {
  NamedTensors all;
  for (const NamedTensor& t : state) all.push_back({t.name, t.tensor.value().clone()});
  return all;
}

bool equal(const NamedTensors& a, const NamedTensors& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || !identical(a[i].tensor.value(), b[i].tensor.value())) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("state dict: a round trip gives the same numbers in the same storage") {
  nn::seed(1);
  nn::Sequential a = small();
  nn::Sequential b = small();
  a(Tensor({1, 2, 3, 4, 5, 7}, {3, 2}));  // moves the running statistics
  CHECK_FALSE(equal(a.state_dict(), b.state_dict()));

  const Tensor weight = b.parameters()[0].tensor;
  const std::uint64_t version = weight.value().version(), id = weight.value().storage()->id();
  const nn::LoadReport report = b.load_state_dict(a.state_dict());
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(equal(a.state_dict(), b.state_dict()));
  CHECK(weight.value().storage()->id() == id);
  CHECK(weight.value().version() > version);
  CHECK(weight.requires_grad());

  a.evaluate();
  b.evaluate();
  const Tensor x({0.5, -1}, {1, 2});
  CHECK(identical(a(x).value(), b(x).value()));
}

TEST_CASE("state dict: a ResNet's round trip, in any order of entries") {
  nn::seed(2);
  const auto a = nn::resnet20(), b = nn::resnet20();
  NamedTensors state = copies(a->state_dict());
  std::reverse(state.begin(), state.end());
  b->load_state_dict(state);
  CHECK(equal(a->state_dict(), b->state_dict()));
}

TEST_CASE("state dict: values are converted to the model's dtype") {
  nn::Linear model({.in = 2, .out = 1});
  model.load_state_dict({{"weight", Array::from({0.5, -2}, {1, 2}, DType::f64)}, {"bias", Array::zeros({1})}});
  CHECK(model.weight.dtype() == DType::f32);
  CHECK(model.weight.value().to_vector<float>() == std::vector<float>{0.5F, -2});
}

TEST_CASE("state dict: one error lists everything that does not fit, and nothing changes") {
  nn::seed(3);
  nn::Sequential model = small();
  const NamedTensors before = copies(model.state_dict());
  NamedTensors state = copies(before);
  for (NamedTensor& t : state) t.tensor.mutable_value().fill(7);
  state.erase(state.begin() + 1);                     // 0.bias
  state[0].tensor = Array::zeros({3, 3});             // 0.weight
  state.push_back({"fc.weight", Array::zeros({1})});  // unknown
  state.push_back({"2.bias", Array::zeros({1})});     // again
  CHECK(error_text([&] { model.load_state_dict(state); }) ==
        "load_state_dict: the state does not fit Sequential: missing (1): 0.bias; unexpected (1): fc.weight; "
        "misshapen (1): 0.weight is [3, 3], must be [3, 2]; repeated (1): 2.bias");
  CHECK(equal(model.state_dict(), before));
  CHECK(error_text([&] { model.load_state_dict(state, {.strict = false}); }) ==
        "load_state_dict: the state does not fit Sequential: misshapen (1): 0.weight is [3, 3], must be [3, 2]; "
        "repeated (1): 2.bias");
  CHECK(equal(model.state_dict(), before));
  CHECK(error_text([&] {
          model.load_state_dict({{"0.weight", Tensor()}}, {.strict = false});
        }) == "load_state_dict: the state does not fit Sequential: misshapen (1): 0.weight has no value");
}

TEST_CASE("state dict: long lists are counted") {
  nn::Sequential model = small();
  CHECK(error_text([&] { model.load_state_dict({}); }) ==
        "load_state_dict: the state does not fit Sequential: missing (9): 0.weight, 0.bias, 1.weight, 1.bias, "
        "1.running_mean, 1.running_var, 1.num_batches_tracked, 2.weight and 1 more");
}

TEST_CASE("state dict: a load that is not strict takes what is there and reports the rest") {
  nn::Sequential model = small();
  const nn::LoadReport report =
      model.load_state_dict({{"0.bias", Array::full({3}, 5)}, {"extra", Array::zeros({1})}}, {.strict = false});
  CHECK(report.missing.size() == 8);
  CHECK(report.unexpected == std::vector<std::string>{"extra"});
  CHECK(model.parameters()[1].tensor.value().to_vector<double>() == std::vector<double>{5, 5, 5});
}

TEST_CASE("state dict: a tied parameter loads by either name, or by both when they agree") {
  const auto shared = layer<nn::Linear>({.in = 2, .out = 2, .bias = false});
  nn::Sequential model{shared, shared};
  const auto weight = [&] { return shared->weight.value().to_vector<double>(); };
  const Array one = Array::full({2, 2}, 1), two = Array::full({2, 2}, 2);
  model.load_state_dict({{"0.weight", one}});
  CHECK(weight() == std::vector<double>(4, 1));
  model.load_state_dict({{"1.weight", two}});
  CHECK(weight() == std::vector<double>(4, 2));
  model.load_state_dict({{"0.weight", one}, {"1.weight", one.clone()}});
  CHECK(weight() == std::vector<double>(4, 1));
  CHECK(
      error_text([&] {
        model.load_state_dict({{"0.weight", one}, {"1.weight", two}});
      }) ==
      "load_state_dict: the state does not fit Sequential: repeated (1): 0.weight and 1.weight are one tied parameter "
      "with two values");
}

TEST_CASE("state dict: locked parameters are not written") {
  nn::Linear model({.in = 2, .out = 1});
  const NamedTensors state = copies(model.state_dict());
  model.bias.state()->locked = "evaluation weights are in use";
  CHECK(error_text([&] { model.load_state_dict(state); }) ==
        "load_state_dict: \"bias\" cannot be written now: evaluation weights are in use");
  model.bias.state()->locked = nullptr;
}
