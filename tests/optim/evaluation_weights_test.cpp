// evaluation_weights(): which weights the scope shows, what it copies, and what it locks.
#include <optional>

#include "support.h"

using namespace support;

namespace {

void step(Optimizer& optimizer, Tensor& w) {
  optimizer.zero_grad();
  w.accumulate_grad(Array::full(w.shape(), 1));
  optimizer.step();
}

}  // namespace

TEST_CASE("the scope shows slow weights and brings the fast ones back") {
  Tensor w(Array::full({3}, 8), true);
  Optimizer optimizer({{"w", w}}, lookahead(sgd({.lr = 1}), {.k = 5}));
  step(optimizer, w);
  step(optimizer, w);
  const std::uint64_t version = w.value().version();
  {
    const auto slow = optimizer.evaluation_weights();
    CHECK(w.value().at({0}) == 8);
    CHECK(w.value().version() > version);
  }
  CHECK(w.value().at({0}) == 6);
  for (int i = 0; i < 3; ++i) step(optimizer, w);
  CHECK(w.value().at({0}) == 5.5);
}

TEST_CASE("training goes on bit for bit after a scope") {
  const Rule rule = lookahead(lookahead(adam({.lr = 0.1}), {.k = 2}), {.k = 5, .state = InnerState::interpolate});
  NamedTensors parameters = model(3);
  Optimizer optimizer(parameters, rule);
  for (int i = 0; i < 12; ++i) {
    train(optimizer, parameters, i, i + 1);
    const auto slow = optimizer.evaluation_weights();
    const NamedArrays none;
  }
  CHECK(same(parameters, trained(rule, 12)));
}

TEST_CASE("the outermost slow weights stand for the model, also inside a transform") {
  Tensor w(Array::full({1}, 8), true);
  Optimizer optimizer({{"w", w}}, clip_norm(lookahead(lookahead(sgd({.lr = 1}), {.k = 2}), {.k = 100}), 10));
  for (int i = 0; i < 3; ++i) step(optimizer, w);
  const auto slow = optimizer.evaluation_weights();
  CHECK(w.item() == 8);
}

TEST_CASE("nothing is copied where the weights are the slow ones, or there are none") {
  for (const Rule& rule : {sgd({.lr = 1}), lookahead(sgd({.lr = 1}), {.k = 2})}) {
    Tensor w(Array::full({1}, 8), true);
    Optimizer optimizer({{"w", w}}, rule);
    step(optimizer, w);
    step(optimizer, w);
    const std::uint64_t version = w.value().version();
    const double value = w.item();
    {
      const auto slow = optimizer.evaluation_weights();
      CHECK(w.item() == value);
    }
    CHECK(w.value().version() == version);
  }
}

TEST_CASE("weights loaded since the last step are what the scope shows") {
  Tensor w(Array::full({1}, 8), true);
  Optimizer optimizer({{"w", w}}, lookahead(sgd({.lr = 1}), {.k = 5}));
  step(optimizer, w);
  w.mutable_value().copy_from(Array::full({1}, 50));
  {
    const auto slow = optimizer.evaluation_weights();
    CHECK(w.item() == 50);
  }
  CHECK(w.item() == 50);
}

TEST_CASE("an open scope locks step, backward, saving, and a second scope") {
  Tensor w(Array::full({1}, 8), true);
  Optimizer optimizer({{"w", w}}, lookahead(sgd({.lr = 1}), {.k = 5}));
  step(optimizer, w);
  const NamedArrays tree = cloned(optimizer.state_tree());
  {
    const auto slow = optimizer.evaluation_weights();
    CHECK(message([&] { optimizer.step(); }) == "optimizer: step inside an evaluation_weights() scope; close it first");
    CHECK(message([&] { optimizer.state_tree(); }) ==
          "optimizer: state_tree inside an evaluation_weights() scope; close it first");
    CHECK(message([&] { optimizer.load_state_tree(tree); }) ==
          "optimizer: load_state_tree inside an evaluation_weights() scope; close it first");
    CHECK(message([&] { auto again = optimizer.evaluation_weights(); }) ==
          "optimizer: evaluation_weights inside an evaluation_weights() scope; close it first");
    const Tensor loss = sum(w * w);
    CHECK(message([&] { loss.backward(); }).find("an evaluation_weights() scope is open") != std::string::npos);
  }
  const Tensor loss = sum(w * w);
  optimizer.zero_grad();
  loss.backward();
  optimizer.step();
  CHECK(optimizer.step_count() == 2);
}

TEST_CASE("an Optimizer that goes first leaves the fast weights") {
  Tensor w(Array::full({1}, 8), true);
  std::optional<Optimizer> optimizer(std::in_place, NamedTensors{{"w", w}}, lookahead(sgd({.lr = 1}), {.k = 5}));
  step(*optimizer, w);
  const auto slow = optimizer->evaluation_weights();
  CHECK(w.item() == 8);
  optimizer.reset();
  CHECK(w.item() == 7);
  CHECK(w.state()->locked == nullptr);
}

TEST_CASE("weights written inside the scope are kept, and cycles start from them") {
  Tensor w(Array::full({1}, 8, DType::f64), true);
  Optimizer optimizer({{"w", w}}, lookahead(sgd({.lr = 1}), {.k = 5}));
  const auto step = [&] {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, 1, DType::f64));
    optimizer.step();
  };
  step(), step();  // fast 6, slow 8
  {
    const EvaluationWeights slow = optimizer.evaluation_weights();
    Array value = w.value();
    value.fill(50);
    value.mark_changed();
  }
  CHECK(w.item() == 50);
  for (int t = 0; t < 5; ++t) step();
  CHECK(w.item() == 47.5);  // 50 - 0.5 (50 - 45)
}
