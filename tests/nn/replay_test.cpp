// Replay in trainings: weights after many steps have the bits of the same training without it, whatever the optimizer
// does with weights and gradients in between. Not here: single ops (tests/autograd/replay_ops_test.cpp).
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <tandem/autograd/autocast.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/replay.h>
#include <tandem/core/allocator.h>
#include <tandem/core/generator.h>
#include <tandem/core/profile_report.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>
#include <tandem/optim/adam.h>
#include <tandem/optim/lookahead.h>
#include <tandem/optim/momentum.h>
#include <tandem/optim/optimizer.h>
#include <tandem/optim/sam.h>
#include <tandem/optim/sgd.h>

using namespace tandem;
using nn::layer;

namespace {

Array normal(const Shape& shape, std::uint64_t seed) {
  Array x = Array::empty(shape);
  Generator(seed).fill_normal(x);
  return x;
}

/// 6 -> 10 -> 4 with an activation between.
std::shared_ptr<nn::Sequential> network(const std::shared_ptr<nn::Module>& activation = layer<nn::Tanh>()) {
  nn::seed(3);
  return std::make_shared<nn::Sequential>(std::initializer_list<std::shared_ptr<nn::Module>>{
      layer<nn::Linear>({.in = 6, .out = 10}), activation, layer<nn::Linear>({.in = 10, .out = 4})});
}

struct Batch {
  Array x, labels;
};

/// Another one each step; every fifth is a small one.
Batch batch_of(int step) {
  const std::int64_t n = step % 5 == 4 ? 3 : 8;
  Array labels = Array::zeros({n}, DType::i64);
  for (std::int64_t i = 0; i < n; ++i) labels.set({i}, static_cast<double>((i + step) % 4));
  return {normal({n, 6}, static_cast<std::uint64_t>(step)), labels};
}

/// A network in training, one way or the other.
struct Training {
  std::shared_ptr<nn::Sequential> model;
  Optimizer optimizer;
  Replay pass;

  Training(std::shared_ptr<nn::Sequential> m, const Rule& rule)
      : model(std::move(m)),
        optimizer(model->parameters(), rule),
        pass([net = model](const std::vector<Tensor>& in) { return cross_entropy((*net)(in[0]), in[1]); }) {}

  double usual(const Batch& b) const {
    const Tensor loss = cross_entropy((*model)(b.x), b.labels);
    loss.backward();
    return loss.item();
  }
  double replayed(const Batch& b) { return pass(b.x, b.labels).item(); }
};

void check_equal(const Training& a, const Training& b) {
  const NamedTensors left = a.model->parameters(), right = b.model->parameters();
  for (std::size_t i = 0; i < left.size(); ++i) {
    CAPTURE(left[i].name);
    CHECK(identical(left[i].tensor.value(), right[i].tensor.value()));
  }
}

}  // namespace

TEST_CASE("replay: trainings have equal bits under every kind of rule") {
  const std::vector<Rule> rules{sgd({.lr = 0.1}), momentum({.lr = 0.05, .momentum = 0.9}), adam({.lr = 1e-2}),
                                lookahead(adam({.lr = 1e-2}), {.k = 3}),
                                lookahead(lookahead(sgd({.lr = 0.1}), {.k = 2}), {.k = 3})};
  for (const Rule& rule : rules) {
    CAPTURE(rule.describe());
    Training usual(network(), rule), replayed(network(), rule);
    for (int step = 0; step < 40; ++step) {
      const Batch b = batch_of(step);
      usual.optimizer.zero_grad(), replayed.optimizer.zero_grad();
      CHECK(usual.usual(b) == replayed.replayed(b));
      usual.optimizer.step(), replayed.optimizer.step();
    }
    check_equal(usual, replayed);
    CHECK(replayed.pass.replayed() == 40 - 4);  // of each shape the first two are not
  }
}

TEST_CASE("replay: every activation, and networks that evaluate in between") {
  const std::vector<std::shared_ptr<nn::Module>> activations{layer<nn::ReLU>(), layer<nn::GELU>(), layer<nn::Sigmoid>(),
                                                             layer<nn::SiLU>()};
  for (const auto& activation : activations) {
    CAPTURE(activation->describe());
    Training usual(network(activation), adam({.lr = 1e-2})), replayed(network(activation), adam({.lr = 1e-2}));
    for (int step = 0; step < 24; ++step) {
      if (step % 8 == 7) {
        replayed.model->evaluate();
        (*replayed.model)(batch_of(step).x);
        replayed.model->train();
      }
      const Batch b = batch_of(step % 4);
      usual.optimizer.zero_grad(), replayed.optimizer.zero_grad();
      CHECK(usual.usual(b) == replayed.replayed(b));
      usual.optimizer.step(), replayed.optimizer.step();
    }
    check_equal(usual, replayed);
    CHECK(replayed.pass.replayed() == 24 - 2 - 3);
  }
}

TEST_CASE("replay: accumulation, closures, loaded and frozen weights") {
  Training usual(network(), adam({.lr = 1e-2})), replayed(network(), adam({.lr = 1e-2}));
  const auto both = [&](const auto& f) { f(usual), f(replayed); };
  const auto step = [&](int i) {
    both([](Training& t) { t.optimizer.zero_grad(); });
    CHECK(usual.usual(batch_of(i)) == replayed.replayed(batch_of(i)));
    if (i % 3 == 0) CHECK(usual.usual(batch_of(i + 1)) == replayed.replayed(batch_of(i + 1)));
    both([](Training& t) { t.optimizer.step(); });
    check_equal(usual, replayed);
  };
  for (int i = 0; i < 4; ++i) step(i);
  CHECK(replayed.pass.replayed() > 0);
  const NamedTensors other = network(layer<nn::ReLU>())->state_dict();
  both([&](Training& t) { t.model->load_state_dict(other); });
  for (int i = 0; i < 4; ++i) step(i);
  const std::int64_t before = replayed.pass.replayed();
  both([](Training& t) { t.model->children()[0].module->freeze(); });
  for (int i = 0; i < 4; ++i) step(i);
  both([](Training& t) { t.model->children()[0].module->unfreeze(); });
  for (int i = 0; i < 4; ++i) step(i);
  CHECK(replayed.pass.replayed() > before + 2);
}

TEST_CASE("replay: inside the closure of a rule that asks for the loss twice") {
  const Rule rule = sam(sgd({.lr = 0.1}), {.rho = 0.05});
  Training usual(network(), rule), replayed(network(), rule);
  for (int i = 0; i < 6; ++i) {
    const Batch b = batch_of(0);
    usual.optimizer.step([&] {
      const Tensor loss = cross_entropy((*usual.model)(b.x), b.labels);
      loss.backward();
      return loss;
    });
    replayed.optimizer.step([&] { return replayed.pass(b.x, b.labels); });
    check_equal(usual, replayed);
  }
  CHECK(replayed.pass.replayed() == 10);
}

TEST_CASE("replay: dropout is computed as usual, with its own numbers each time") {
  Training usual(network(layer<nn::Dropout>({.p = 0.5})), sgd({.lr = 0.1})),
      replayed(network(layer<nn::Dropout>({.p = 0.5})), sgd({.lr = 0.1}));
  for (int i = 0; i < 6; ++i) {
    usual.optimizer.zero_grad(), replayed.optimizer.zero_grad();
    CHECK(usual.usual(batch_of(0)) == replayed.replayed(batch_of(0)));
    usual.optimizer.step(), replayed.optimizer.step();
  }
  check_equal(usual, replayed);
  CHECK(replayed.pass.replayed() == 0);
  CHECK(replayed.pass.why_not().find("captured") != std::string::npos);
}

TEST_CASE("replay: a forward hook sees every pass") {
  Training t(network(), sgd({.lr = 0.1}));
  int seen = 0;
  auto hook = t.model->register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) { ++seen; });
  const auto pass = [&] {
    t.optimizer.zero_grad();
    t.replayed(batch_of(0));
  };
  for (int i = 0; i < 4; ++i) pass();
  CHECK(seen == 4);
  CHECK(t.pass.why_not() == "a forward hook runs code");
  hook.reset();
  for (int i = 0; i < 3; ++i) pass();
  CHECK(seen == 4);
  CHECK(t.pass.replayed() == 2);
}

TEST_CASE("replay: a model that grows, and one that is converted and back, are noticed") {
  Training t(network(), sgd({.lr = 0.1}));
  nn::Linear teacher({.in = 6, .out = 4});
  teacher.freeze();
  t.pass = Replay([&](const std::vector<Tensor>& in) { return mse_loss((*t.model)(in[0]), teacher(in[0])); });
  const Batch b = batch_of(0);
  const auto check = [&] {
    t.optimizer.zero_grad();
    const double replayed = t.replayed(b);
    CHECK(replayed == mse_loss((*t.model)(b.x), teacher(b.x)).item());
  };
  for (int i = 0; i < 4; ++i) check();
  CHECK(t.pass.replayed() == 2);
  teacher.to(DType::f64);
  teacher.weight.mutable_value().fill(0.5);
  teacher.to(DType::f32);
  for (int i = 0; i < 4; ++i) check();
  t.model->add(layer<nn::Tanh>());
  for (int i = 0; i < 4; ++i) check();
  CHECK(t.pass.replayed() == 2 + 3 + 3);
}

TEST_CASE("replay: a replayed step asks for no memory") {
  Training t(network(), adam({.lr = 1e-2}));
  const Batch b = batch_of(0);
  const auto step = [&] {
    t.optimizer.zero_grad();
    t.replayed(b);
    t.optimizer.step();
  };
  for (int i = 0; i < 3; ++i) step();
  const MemoryStats before = memory_stats();
  reset_peak_memory();
  for (int i = 0; i < 100; ++i) step();
  CHECK(memory_stats().system_allocations == before.system_allocations);
  CHECK(memory_stats().peak_bytes <= before.bytes_in_use + 64);  // the loss that is returned
  CHECK(t.pass.replayed() == 101);
}
