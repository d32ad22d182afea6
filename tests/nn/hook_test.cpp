// Forward hooks: what they see and change, when they end, and what the door makes of results with several parts.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/clone.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/lstm.h>
#include <tandem/nn/sequential.h>
#include <tandem/nn/sub.h>

#include "nn/error_text.h"

using namespace tandem;
using nn::layer;

namespace {

using Values = std::vector<double>;
Values values(const Tensor& x) { return x.value().to_vector<double>(); }

/// y = x and 2 x, as a pair; a call with one input gives x.
struct Both : nn::Module {
  using Module::operator();
  std::pair<Tensor, Tensor> operator()(const Tensor& x, double factor) {
    return enter(x, [&](const Tensor& in) { return std::pair(in, in * factor); });
  }
};

struct Parts {
  std::string note;
  Tensor logits;
};
Tensor& output_of(Parts& parts) { return parts.logits; }

struct WithParts : nn::Module {
  Parts operator()(const Tensor& x, const std::string& note) {
    return enter(x, [&](const Tensor& in) { return Parts{note, in + 1.0}; });
  }
};

}  // namespace

TEST_CASE("hooks see every call of their module, innermost first, until their handle goes") {
  nn::Sequential model{layer<nn::ReLU>(), layer<nn::Tanh>()};
  std::vector<std::string> heard;
  std::vector<nn::HookHandle> hooks;
  for (const nn::NamedModule& m : model.modules()) {
    hooks.push_back(m.module->register_forward_hook(
        [&heard](nn::Module& module, const Tensor&, const Tensor&) { heard.push_back(module.describe()); }));
  }
  model(Array::zeros({1, 2}));
  CHECK(heard == std::vector<std::string>{"ReLU", "Tanh", "Sequential"});
  hooks.pop_back();  // of Tanh
  model[0](Array::zeros({1, 2}));
  model(Array::zeros({1, 2}));
  CHECK(heard == std::vector<std::string>{"ReLU", "Tanh", "Sequential", "ReLU", "ReLU", "Sequential"});
  hooks.clear();
  model(Array::zeros({1, 2}));
  CHECK(heard.size() == 6);
}

TEST_CASE("hooks change input and output in their order, and gradients follow") {
  nn::ReLU relu;
  const auto shift = relu.register_forward_pre_hook([](nn::Module&, const Tensor& x) { return x + 1.0; });
  const auto twice = relu.register_forward_pre_hook([](nn::Module&, const Tensor& x) { return x * 2.0; });
  Values seen_x;
  auto negate = relu.register_forward_hook([&](nn::Module&, const Tensor& x, const Tensor& y) {
    seen_x = values(x);
    return -y;
  });
  const Tensor x({-3, 0, 2}, {3});
  Tensor w = x;
  w.set_requires_grad(true);
  const Tensor y = relu(w);
  CHECK(seen_x == Values{-4, 2, 6});
  CHECK(values(y) == Values{0, -2, -6});
  sum(y).backward();
  CHECK(w.grad().to_vector<double>() == Values{0, -2, -2});
  negate.reset();
  CHECK(values(relu(w)) == Values{0, 2, 6});
}

TEST_CASE("hooks of calls with several inputs or results see the first of each") {
  Both both;
  const auto before = both.register_forward_pre_hook([](nn::Module&, const Tensor& x) { return x + 1.0; });
  const auto after = both.register_forward_hook([](nn::Module&, const Tensor& x, const Tensor&) { return x * 10.0; });
  const auto [y, z] = both(Tensor({1, 2}, {2}), 3.0);
  CHECK(values(y) == Values{20, 30});
  CHECK(values(z) == Values{6, 9});

  WithParts parts;
  const auto zero =
      parts.register_forward_hook([](nn::Module&, const Tensor&, const Tensor& out) { return out * 0.0; });
  const Parts result = parts(Tensor({1, 2}, {2}), "kept");
  CHECK(result.note == "kept");
  CHECK(values(result.logits) == Values{0, 0});

  nn::seed(1);
  nn::LSTM lstm({.in = 2, .hidden = 3});
  const auto half = lstm.register_forward_hook([](nn::Module&, const Tensor&, const Tensor& out) { return out * 0.5; });
  const Tensor text = Array::full({4, 1, 2}, 1);
  const nn::RecurrentOutput halved = lstm(text, nn::RecurrentState{});
  const Values last = values(slice(halved.y, 0, 3, 4)), state = values(halved.state.h);
  for (std::size_t i = 0; i < 3; ++i) CHECK(last[i] == doctest::Approx(0.5 * state[i]));
}

TEST_CASE("an error of a hook names the layer; hooks may call other modules, add hooks and remove themselves") {
  nn::Sequential model{layer<nn::ReLU>()};
  const auto bad =
      model[0].register_forward_hook([](nn::Module&, const Tensor&, const Tensor&) { fail("probe", "no"); });
  CHECK(error_text([&] { model(Array::zeros({1})); }) == "layer \"0\" ReLU: probe: no");

  nn::Tanh layer_, probe;
  int calls = 0;
  nn::HookHandle self, added;
  self = layer_.register_forward_hook([&](nn::Module& module, const Tensor&, const Tensor& y) {
    probe(y);
    ++calls;
    added = module.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) { calls += 10; });
    self.reset();
  });
  layer_(Array::zeros({1}));
  CHECK(calls == 1);
  layer_(Array::zeros({1}));
  CHECK(calls == 11);
}

TEST_CASE("a handle may outlive its module, and a clone has no hooks") {
  nn::HookHandle hook;
  int calls = 0;
  {
    nn::ReLU relu;
    hook = relu.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) { ++calls; });
    relu(Array::zeros({1}));
    (*nn::clone(relu))(Array::zeros({1}));
  }
  CHECK(calls == 1);
  hook.reset();
}

TEST_CASE("a layer that takes more than one input says so when it is called with one") {
  Both both;
  CHECK(error_text([&] {
          both(Array::zeros({2, 3}));
        }) == "Both: forward: the layer is not called with one input: x [2, 3]; give it all that its operator() takes");
}
