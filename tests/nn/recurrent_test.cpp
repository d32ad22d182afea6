// LSTM and GRU as layers: names, states carried from part to part, lengths, dropouts, errors. The numbers stand in
// sequence_golden_test.cpp; here is what only a layer has.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/nn/gru.h>
#include <tandem/nn/init.h>
#include <tandem/nn/lstm.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

Tensor normal(const Shape& shape, std::uint64_t seed) {
  Array x = Array::empty(shape);
  Generator(seed).fill_normal(x);
  return x;
}

double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return max(abs(a - b)).item();
}

std::vector<std::string> names_of(const nn::Module& m) {
  std::vector<std::string> names;
  for (const NamedTensor& p : m.state_dict()) names.push_back(p.name);
  return names;
}

}  // namespace

TEST_CASE("recurrent: names and order of the state dict are PyTorch's") {
  CHECK(names_of(nn::LSTM({.in = 3, .hidden = 2, .layers = 2})) ==
        std::vector<std::string>{"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l1",
                                 "weight_hh_l1", "bias_ih_l1", "bias_hh_l1"});
  CHECK(names_of(nn::GRU({.in = 3, .hidden = 2, .bias = false, .bidirectional = true})) ==
        std::vector<std::string>{"weight_ih_l0", "weight_hh_l0", "weight_ih_l0_reverse", "weight_hh_l0_reverse"});
  CHECK(nn::LSTM({.in = 3, .hidden = 2, .layers = 2, .bidirectional = true, .dropout = 0.5}).describe() ==
        "LSTM(3 -> 2, 2 layers, bidirectional, dropout 0.5)");
  CHECK(nn::GRU({.in = 3, .hidden = 2, .bias = false, .batch_first = true, .weight_dropout = 0.3}).describe() ==
        "GRU(3 -> 2, batch first, no bias, weight dropout 0.3)");
}

TEST_CASE("recurrent: two parts with carried state equal the whole; a detached state passes no gradient") {
  nn::LSTM lstm({.in = 3, .hidden = 5, .layers = 2});
  const Tensor x = normal({6, 2, 3}, 1);
  const Tensor whole = lstm(x);
  const nn::RecurrentOutput first = lstm(slice(x, 0, 0, 4), {});
  const nn::RecurrentOutput second = lstm(slice(x, 0, 4, 6), first.state.detach());
  CHECK(difference(cat({first.y, second.y}, 0), whole) < 1e-6);
  CHECK(first.state.h.shape() == Shape{2, 2, 5});
  CHECK(first.state.h.requires_grad());
  CHECK_FALSE(first.state.detach().h.requires_grad());
  CHECK_FALSE(first.state.detach().c.requires_grad());
  CHECK_FALSE(nn::RecurrentState{}.detach().h.defined());
}

TEST_CASE("recurrent: dropout between layers and on weights in training alone; the same again from the same state") {
  const Tensor x = normal({4, 2, 3}, 1);
  nn::seed(1);
  nn::LSTM plain({.in = 3, .hidden = 8, .layers = 2});
  for (const bool on_weights : {false, true}) {
    nn::LSTM dropped(
        {.in = 3, .hidden = 8, .layers = 2, .dropout = on_weights ? 0 : 0.5, .weight_dropout = on_weights ? 0.5 : 0});
    dropped.load_state_dict(plain.state_dict());
    dropped.evaluate();
    CHECK(identical(dropped(x).value(), plain(x).value()));
    dropped.train();
    NamedTensors before;
    for (const NamedTensor& t : dropped.random_state()) before.push_back({t.name, t.tensor.value().clone()});
    REQUIRE(before.size() == 1);
    const Array once = dropped(x).value(), again = dropped(x).value();
    CHECK_FALSE(identical(once, plain(x).value()));
    CHECK_FALSE(identical(once, again));
    dropped.load_random_state(before);
    CHECK(identical(once, dropped(x).value()));
  }
}

TEST_CASE("recurrent: what does not fit is refused, naming the layer") {
  nn::LSTM lstm({.in = 3, .hidden = 2});
  nn::GRU gru({.in = 3, .hidden = 2, .layers = 2});
  const Tensor x = normal({4, 2, 3}, 1);
  CHECK(error_text([&] { lstm(normal({4, 2, 5}, 1)); }) == "LSTM(3 -> 2): LSTM: x must be [T, B, 3]: x [4, 2, 5]");
  CHECK(error_text([&] {
          lstm(x, {normal({1, 3, 2}, 1), {}});
        }) == "LSTM(3 -> 2): LSTM: the state h must be [1, 2, 2]: h [1, 3, 2]");
  CHECK(error_text([&] {
          gru(x, {normal({2, 2, 2}, 1), normal({2, 2, 2}, 1)});
        }) == "GRU(3 -> 2, 2 layers): GRU: a state c is given, which only an LSTM has");
  CHECK(error_text([&] {
          lstm(x, {}, {4, 5});
        }) == "LSTM(3 -> 2): lstm: lengths must be from 1 to 4: sequence 1 has 5");
  CHECK(error_text([] { nn::LSTM({.in = 3, .hidden = 0}); }) ==
        "LSTM: in, hidden and layers must be at least 1: in 3, hidden 0, layers 1");
  CHECK(error_text([] { nn::GRU({.in = 3, .hidden = 2, .weight_dropout = 1}); }) ==
        "GRU: weight_dropout must be in [0, 1): 1 given");
}

TEST_CASE("recurrent: second derivatives go through the whole layer") {
  nn::LSTM lstm({.in = 3, .hidden = 2});
  const Tensor x(normal({4, 2, 3}, 1).value(), true);
  const auto gradient = [&](const Tensor& at) {
    return grad({sum(square(lstm(at)))}, {at}, {.create_graph = true})[0];
  };
  const Array v = normal({4, 2, 3}, 2).value();
  const Array hv = grad({sum(gradient(x) * Tensor(v))}, {x})[0].value();
  constexpr float kStep = 1e-2F;
  const auto moved = [&](float by) { return Tensor((x.detach() + Tensor(v) * by).value(), true); };
  const Array difference = ((gradient(moved(kStep)) - gradient(moved(-kStep))) / (2 * kStep)).value();
  for (std::int64_t i = 0; i < hv.size(); ++i)
    CHECK(hv.data<float>()[i] == doctest::Approx(difference.contiguous().data<float>()[i]).epsilon(0.02).scale(0.1));
}
