// The Optimizer: binding and its errors, arrived gradients, tied and frozen parameters, groups, hyper-parameters by
// name, loaded weights, versions, and no allocation per step.
#include "support.h"

using namespace support;

TEST_CASE("binding keeps values, gradients and handles, and moves memory into one buffer") {
  NamedTensors parameters = model(1);
  const NamedTensors before = model(1);
  Array old_handle = parameters[2].tensor.value();
  parameters[1].tensor.accumulate_grad(Array::full({4}, 3));
  Optimizer optimizer(parameters, sgd({.lr = 1}));
  CHECK(same(parameters, before));
  CHECK(identical(parameters[1].tensor.grad(), Array::full({4}, 3)));
  for (const NamedTensor& p : parameters) {
    CHECK(p.tensor.value().storage()->buffer() == parameters[0].tensor.value().storage()->buffer());
  }
  optimizer.step();
  CHECK(identical(parameters[0].tensor.value(), before[0].tensor.value()));
  CHECK(parameters[1].tensor.value().at({2}) == doctest::Approx(before[1].tensor.value().at({2}) - 3));
  train(optimizer, parameters, 0, 1);
  CHECK(identical(old_handle, parameters[2].tensor.value()));
  CHECK(optimizer.step_count() == 2);
}

TEST_CASE("channels-last parameters keep their layout") {
  Array x = Array::empty({4, 3, 3, 3}, DType::f32, Layout::channels_last);
  Generator(3).fill_normal(x);
  Tensor last(x.clone(), true), row(x.to_layout(Layout::row_major).clone(), true);
  for (Tensor* t : {&last, &row}) {
    Optimizer optimizer({{"w", *t}}, lookahead(adam({.lr = 0.1}), {.k = 2}));
    for (int i = 0; i < 3; ++i) {
      optimizer.zero_grad();
      t->accumulate_grad(gradient(row, 5, i, 0));
      optimizer.step();
    }
  }
  CHECK(last.value().is_channels_last());
  CHECK(identical(last.value(), row.value()));
}

TEST_CASE("a parameter without a gradient keeps value and inner state; the pull is for all") {
  Tensor a(Array::full({10}, 1), true), b(Array::full({3, 3}, 1), true), c(Array::full({20}, 1), true);
  Optimizer optimizer({{"a", a}, {"b", b}, {"c", c}}, lookahead(momentum({.lr = 1, .momentum = 0.5}), {.k = 3}));
  const auto step = [&](bool with_b) {
    optimizer.zero_grad();
    a.accumulate_grad(Array::full({10}, 1));
    if (with_b) b.accumulate_grad(Array::full({3, 3}, 1));
    c.accumulate_grad(Array::full({20}, 1));
    optimizer.step();
  };
  step(true);
  const Array value = b.value().clone();
  const NamedArrays tree = cloned(optimizer.state_tree());
  const std::string name = "groups/0/inner/momentum_buffer/b";
  const std::uint64_t version = b.value().version();
  step(false);
  CHECK(identical(b.value(), value));
  CHECK(identical(entry(optimizer.state_tree(), name), entry(tree, name)));
  CHECK(b.value().version() == version);
  CHECK(a.value().at({0}) == -1.5);
  step(false);
  CHECK(b.value().at({0, 0}) == 0.5);  // fast 0, slow 1
  CHECK(b.value().version() == version + 1);
  CHECK(entry(optimizer.state_tree(), "groups/0/inner/step").item() == 3);
}

TEST_CASE("a step marks what it changed") {
  NamedTensors parameters = model(1);
  Optimizer optimizer(parameters, adam());
  const std::uint64_t version = parameters[0].tensor.value().version();
  train(optimizer, parameters, 0, 2);
  CHECK(parameters[0].tensor.value().version() == version + 2);
}

TEST_CASE("tied parameters appear once, and frozen ones not at all") {
  Tensor shared = parameter({3, 2}, 1), frozen = parameter({5}, 2);
  frozen.set_requires_grad(false);
  const Array before = frozen.value().clone(), start = shared.value().clone();
  Optimizer optimizer({{"embedding", shared}, {"frozen", frozen}, {"output", shared}},
                      lookahead(sgd({.lr = 1}), {.k = 1, .alpha = 1}));
  shared.accumulate_grad(Array::full({3, 2}, 1));
  optimizer.step();
  CHECK(shared.value().at({0, 0}) == doctest::Approx(start.at({0, 0}) - 1));
  CHECK(identical(frozen.value(), before));
  NamedArrays tree = cloned(optimizer.state_tree());
  std::vector<std::string> names;
  for (const NamedArray& e : tree) names.push_back(e.name);
  CHECK(names ==
        std::vector<std::string>{"step", "groups/0/slow/embedding", "groups/0/counter", "groups/0/inner/step"});
  tree[1].name = "groups/0/slow/output";  // saved when the other name came first
  optimizer.load_state_tree(tree);
  CHECK(optimizer.step_count() == 1);
}

TEST_CASE("what cannot be bound says why") {
  NamedTensors parameters = model(1);
  const auto bind = [](NamedTensors p) { return message([&] { Optimizer(p, sgd()); }); };
  {
    Optimizer first(parameters, sgd());
    CHECK(bind({parameters[1]}) ==
          "optimizer: parameter \"conv.bias\" belongs to another live Optimizer; "
          "give several rules to one Optimizer as groups");
  }
  CHECK(bind({parameters[1]}) == "no error");
  CHECK(bind({}) == "optimizer: no parameter requires a gradient: 0 parameters given");
  Tensor frozen = parameter({2}, 1);
  frozen.set_requires_grad(false);
  CHECK(bind({{"w", frozen}}) == "optimizer: no parameter requires a gradient: 1 parameter given");
  CHECK(bind({{"w", Tensor()}}) == "optimizer: parameter \"w\" is not defined");
  CHECK(bind({{"w", Tensor(Array::zeros({2}, DType::i64))}}) ==
        "optimizer: parameter \"w\" is i64, must be f32 or f64");
  const Array large = Array::zeros({64, 4});
  CHECK(bind({{"w", Tensor(large.slice(0, 0, 2), true)}}) ==
        "optimizer: parameter \"w\" is a view of larger memory: shape [2, 4], strides [4, 1]; make it from "
        "value().clone()");
  CHECK(bind({{"a", Tensor(large, true)}, {"b", Tensor(large, true)}}) ==
        "optimizer: parameter \"b\" shares the memory of \"a\"; tie parameters by sharing the Tensor");
  CHECK(bind({{"w", parameter({2}, 1)}, {"w", parameter({2}, 2)}}) ==
        "optimizer: parameter \"w\" appears twice with different values");
  CHECK(bind({{"a", parameter({2}, 1)}, {"b", parameter({2}, 2, DType::f64)}}) ==
        "optimizer: parameter \"b\" is f64: \"a\" is f32; make a group of each dtype");
  CHECK(message([&] {
          Optimizer(std::vector<Group>{{{parameters[0]}, sgd()}, {{parameters[0]}, sgd()}});
        }) == "optimizer: parameter \"conv.weight\" is in groups 0 and 1");
  CHECK(message([&] { Optimizer(std::vector<Group>{}); }) == "optimizer: there is no group of parameters");
  CHECK(parameters[0].tensor.state()->owner == nullptr);

  Tensor w = parameter({2}, 1);
  const Tensor product = w * w;
  CHECK(bind({{"y", product}}) ==
        "optimizer: parameter \"y\" is the result of an op; bind the leaf it was computed from");
  Optimizer optimizer({{"w", w}}, sgd());
  w.state()->value = Array::zeros({2});
  CHECK(message([&] { optimizer.step(); }) ==
        "optimizer: parameter \"w\" has other memory than when it was bound; "
        "write into a parameter with copy_from");
}

TEST_CASE("groups have rules, dtypes and state of their own") {
  Tensor a(Array::full({4}, 1), true), b(Array::full({4}, 1, DType::f64), true);
  Optimizer optimizer({Group{{{"a", a}}, sgd({.lr = 1})}, Group{{{"b", b}}, lookahead(adam({.lr = 0.5}), {.k = 2})}});
  a.accumulate_grad(Array::full({4}, 1));
  b.accumulate_grad(Array::full({4}, 1, DType::f64));
  optimizer.step();
  CHECK(a.value().at({0}) == 0);
  CHECK(b.value().at({3}) == doctest::Approx(0.5));
  CHECK(optimizer.describe() == "group 0: sgd(lr=1); group 1: lookahead(adam(lr=0.5), k=2, alpha=0.5)");
  CHECK(entry(optimizer.state_tree(), "groups/1/slow/b").dtype() == DType::f64);
}

TEST_CASE("hyper-parameters by name") {
  NamedTensors parameters = model(1);
  Optimizer optimizer(parameters, outer_loop(sgd({.lr = 0.5}), momentum({.lr = 0.7}), {.k = 2}));
  CHECK(optimizer.hyper_parameters() ==
        std::vector<std::string>{"groups/0/k", "groups/0/mix", "groups/0/inner/lr", "groups/0/inner/weight_decay",
                                 "groups/0/outer/lr", "groups/0/outer/momentum", "groups/0/outer/weight_decay"});
  optimizer.set("lr", 0.25);
  CHECK(optimizer.describe() == "outer_loop(sgd(lr=0.25), momentum(lr=0.7, momentum=0.9), k=2)");
  optimizer.set("groups/0/outer/momentum", 0.5);
  optimizer.set("k", 3);
  CHECK(optimizer.describe() == "outer_loop(sgd(lr=0.25), momentum(lr=0.7, momentum=0.5), k=3)");
  CHECK(optimizer.peek("lr") == 0.25);
  CHECK(optimizer.peek("k") == 3);
  optimizer.set("lr", schedule::linear({.total = 4}));
  train(optimizer, parameters, 0, 2);
  CHECK(optimizer.peek("lr") == 0.5);
  CHECK(message([&] { optimizer.set("lrr", 1); }).find("optimizer: no hyper-parameter \"lrr\": in outer_loop(") == 0);
  CHECK(message([&] { optimizer.set("lrr", 1); }).find("; did you mean \"lr\"?") != std::string::npos);
  CHECK(message([&] { optimizer.set("lr", -1); }) == "sgd: lr is -1, must be at least 0");
  CHECK(message([&] { optimizer.set("k", 0); }) == "outer_loop: k is 0, must be at least 1");
  CHECK(message([&] { optimizer.set("k", 1.5); }) == "outer_loop: k is 1.5, must be a whole number");

  // A changed lr acts in the next step, also through a wrapper.
  Tensor w(Array::zeros({1}), true);
  Optimizer wrapped({{"w", w}}, lookahead(sgd({.lr = 1}), {.k = 9}));
  wrapped.set("lr", 0.125);
  w.accumulate_grad(Array::full({1}, 1));
  wrapped.step();
  CHECK(w.item() == -0.125);
}

TEST_CASE("weights loaded into a bound model are where slow weights and cycles start") {
  Tensor w(Array::full({1}, 0), true);
  Optimizer optimizer({{"w", w}}, lookahead(lookahead(sgd({.lr = 1}), {.k = 2, .alpha = 0.5}), {.k = 4, .alpha = 0.5}));
  const auto step = [&] {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, 1));
    optimizer.step();
    return w.item();
  };
  CHECK(step() == -1);
  w.mutable_value().copy_from(Array::full({1}, 100));
  CHECK(step() == 99);
  CHECK(step() == 99);
  CHECK(step() == 98);
  CHECK(step() == 99);  // inner 97 -> 98, outer (100 + 98) / 2
  w.mutable_value().copy_from(Array::full({1}, 50));
  CHECK(entry(optimizer.state_tree(), "groups/0/slow/w").item() == 50);
}

TEST_CASE("a step allocates nothing") {
  for (const char* spec : {"sgd(lr=0.1)", "adamw(lr=0.1 * cosine(warmup=3, total=100), no_bias_decay)",
                           "clip_norm(lookahead(adam(lr=0.001), k=2, alpha=0.5, state=interpolate), max=0.1)",
                           "outer_loop(momentum(lr=0.1, momentum=0.9), clip_norm(sgd(lr=0.5), max=1), k=3)"}) {
    CAPTURE(spec);
    NamedTensors parameters = model(1);
    Optimizer optimizer(parameters, parse_rule(spec));
    put_gradients(parameters, 1, 0);
    optimizer.step();
    const std::int64_t before = allocation_count();
    const std::size_t in_use = memory_stats().bytes_in_use;
    for (int i = 0; i < 7; ++i) optimizer.step();
    CHECK(allocation_count() == before);
    CHECK(memory_stats().bytes_in_use == in_use);
  }
}

TEST_CASE("an Optimizer can be moved and replaced") {
  NamedTensors parameters = model(1);
  Optimizer first(parameters, sgd());
  Optimizer second = std::move(first);
  train(second, parameters, 0, 1);
  NamedTensors others = model(2);
  second = Optimizer(others, adam());
  Optimizer third(parameters, adam());
  train(third, parameters, 0, 1);
  CHECK(third.step_count() == 1);
}
