// snapshot, restore, fork; slow and fast weights by name.
#include "support.h"

using namespace support;

TEST_CASE("a snapshot is a copy, and restore is exact, in mid-cycle and after anything") {
  const Rule rule = lookahead(lookahead(adam({.lr = 0.1}), {.k = 2}), {.k = 5, .state = InnerState::interpolate});
  NamedTensors parameters = model(3);
  Optimizer optimizer(parameters, rule);
  train(optimizer, parameters, 0, 8);
  const Snapshot snapshot = optimizer.snapshot();
  CHECK(snapshot.rule == rule.describe());
  train(optimizer, parameters, 8, 20);
  const NamedTensors once = [&] {
    NamedTensors copy;
    for (const NamedTensor& p : parameters) copy.push_back({p.name, Tensor(p.tensor.value().clone())});
    return copy;
  }();
  optimizer.restore(snapshot);
  CHECK(optimizer.step_count() == 8);
  train(optimizer, parameters, 8, 20);
  CHECK(same(parameters, once));
  CHECK(message([&] {
          NamedTensors others = model(5);
          Optimizer(others, adam()).restore(snapshot);
        }).find("optimizer: state ") == 0);
}

TEST_CASE("a tree that still is the optimizer's own memory is refused") {
  NamedTensors parameters = model(3);
  Optimizer optimizer(parameters, adam());
  const NamedArrays tree = optimizer.state_tree();
  train(optimizer, parameters, 0, 1);
  CHECK(message([&] { optimizer.load_state_tree(tree); }) ==
        "optimizer: state \"groups/0/exp_avg/conv.weight\" is the optimizer's own buffer: the tree was not cloned: its "
        "numbers are those of now; clone it, or use snapshot()");
}

TEST_CASE("a fork takes over state of equal role, and goes on exactly under the same rule") {
  NamedTensors parameters = model(3);
  Optimizer optimizer(parameters, adam({.lr = 0.1}));
  train(optimizer, parameters, 0, 7);
  const Snapshot snapshot = optimizer.snapshot();

  NamedTensors same_rule = model(50), looking = model(51), other = model(52);
  Optimizer again(same_rule, adam({.lr = 0.1})), ahead(looking, lookahead(adam({.lr = 0.1}), {.k = 100})),
      plain(other, momentum({.lr = 0.1}));
  CHECK(again.fork(snapshot).fresh.empty());
  const ForkReport report = ahead.fork(snapshot);
  CHECK(std::count(report.taken.begin(), report.taken.end(), "groups/0/inner/exp_avg/conv.weight") == 1);
  CHECK(std::count(report.taken.begin(), report.taken.end(), "groups/0/inner/step") == 1);
  CHECK(std::count(report.fresh.begin(), report.fresh.end(), "groups/0/slow/conv.weight") == 1);
  const ForkReport fresh = plain.fork(snapshot);
  CHECK(std::count(fresh.fresh.begin(), fresh.fresh.end(), "groups/0/momentum_buffer/conv.weight") == 1);
  CHECK(plain.step_count() == 7);
  CHECK(same(other, looking));
  CHECK(identical(ahead.slow("conv.weight"), looking[0].tensor.value()));  // a cycle starts at the fork

  train(optimizer, parameters, 7, 20);
  train(again, same_rule, 7, 20);
  train(ahead, looking, 7, 20);
  CHECK(same(parameters, same_rule));
  CHECK(same(parameters, looking));  // k = 100: no sync yet
}

TEST_CASE("slow weights and the fast ones before a pull, by name") {
  Tensor w(Array::full({1}, 3, DType::f64), true);
  Optimizer optimizer({{"w", w}}, lookahead(sgd({.lr = 1}), {.k = 2, .alpha = 0.5}));
  CHECK_FALSE(optimizer.fast("w").defined());
  for (int t = 0; t < 2; ++t) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, 1, DType::f64));
    optimizer.step();
    CHECK(optimizer.slow("w").item() == (t == 0 ? 3 : 2));
  }
  CHECK(optimizer.fast("w").item() == 1);
  CHECK(message([&] { optimizer.slow("w", 1); }) ==
        "optimizer: there is no loop 1: lookahead(sgd(lr=1), k=2, alpha=0.5)");
}
