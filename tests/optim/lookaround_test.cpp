// lookaround by hand and against a page of its own on plain vectors, with a gradient that depends on the copy; saved,
// forked, explained and watched; masks and running statistics; what is refused.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <tandem/autograd/evaluations.h>
#include <tandem/optim/reference/lookahead.h>

#include "support.h"

using namespace support;

namespace {

/// Gradients of step t: those of model() for all, and a part of each copy's own.
void put(const NamedTensors& parameters, std::int64_t step, std::int64_t copy) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Tensor t = parameters[i].tensor;
    t.accumulate_grad(gradient(t, 77, step, i));
    t.accumulate_grad(gradient(t, 500 + static_cast<std::uint64_t>(copy), step, i, 0.5));
  }
}

void around(Optimizer& optimizer, const NamedTensors& parameters, std::int64_t from, std::int64_t to) {
  for (std::int64_t step = from; step < to; ++step) {
    optimizer.step([&] {
      put(parameters, step, optimizer.copy());
      return Tensor(Array::full({1}, static_cast<double>(step + optimizer.copy()), DType::f64));
    });
  }
}

/// Algorithm 1 of the paper on plain vectors.
template <class T>
struct Page {
  using Vector = std::vector<T>;
  std::vector<std::unique_ptr<reference::Stepping<T>>> rules;
  std::vector<Vector> copies;
  int k, counter = 0;
  bool resets;

  void step(const std::vector<Vector>& gradients) {
    for (std::size_t i = 0; i < copies.size(); ++i) rules[i]->step(copies[i], gradients[i]);
    if (++counter < k) return;
    counter = 0;
    for (std::size_t j = 0; j < copies[0].size(); ++j) {
      T mean = copies[0][j];
      for (std::size_t i = 1; i < copies.size(); ++i) mean += (copies[i][j] - mean) / static_cast<T>(i + 1);
      for (Vector& copy : copies) copy[j] = mean;
    }
    for (const auto& rule : rules) {
      if (resets) rule->reset();
      rule->restart(copies[0]);
    }
  }
};

template <class T, template <class> class Formula>
void compare(const typename Formula<double>::Options& options, int copies, int k, InnerState state, bool is_nest) {
  Tensor w = parameter({37, 1}, 3, std::is_same_v<T, float> ? DType::f32 : DType::f64);
  const std::vector<T> start = w.value().to_vector<T>();
  Page<T> page{{}, {}, k, 0, state == InnerState::reset};
  for (int i = 0; i < copies; ++i) {
    std::unique_ptr<reference::Stepping<T>> rule =
        std::make_unique<reference::Leaf<Formula<T>, T>>(options, start.size());
    if (is_nest) {
      rule = std::make_unique<reference::Lookahead<T>>(std::move(rule), 2, 0.3, InnerState::interpolate, start);
    }
    page.rules.push_back(std::move(rule));
    page.copies.push_back(start);
  }
  Rule rule = leaf<Formula>(options);
  if (is_nest) rule = lookahead(rule, {.k = 2, .alpha = 0.3, .state = InnerState::interpolate});
  rule = lookaround(rule, {.copies = copies, .k = k, .state = state});
  CAPTURE(rule.describe());
  Optimizer optimizer({{"w", w}}, rule);
  for (std::int64_t step = 0; step < 20; ++step) {
    std::vector<std::vector<T>> gradients;
    optimizer.step([&] {
      CHECK(optimizer.copy() == static_cast<std::int64_t>(gradients.size()));
      CHECK(w.value().to_vector<T>() == page.copies[gradients.size()]);
      put({{"w", w}}, step, optimizer.copy());
      gradients.push_back(w.grad().to_vector<T>());
      return Tensor();
    });
    page.step(gradients);
    REQUIRE_MESSAGE(w.value().to_vector<T>() == page.copies[0], "step " << step);
  }
}

}  // namespace

TEST_CASE("lookaround by hand: two copies with targets of their own") {
  Tensor w(Array::zeros({1}, DType::f64), true);
  Optimizer optimizer({{"w", w}}, lookaround(sgd({.lr = 0.5}), {.copies = 2, .k = 2}));
  std::vector<std::int64_t> asked;
  const auto step = [&] {
    optimizer.step([&] {
      asked.push_back(optimizer.copy());
      w.accumulate_grad(Array::full({1}, w.item() - (optimizer.copy() == 0 ? 1 : 3), DType::f64));
      return Tensor();
    });
    return w.item();
  };
  const auto shown = [&] {
    const EvaluationWeights look = optimizer.evaluation_weights();
    return w.item();
  };
  CHECK(optimizer.needs_closure());
  CHECK(optimizer.copies() == 2);
  CHECK(step() == 0.5);  // and 1.5
  CHECK(shown() == 0);
  CHECK(entry(optimizer.state_tree(), "groups/0/copies/1/weights/w").item() == 1.5);
  CHECK(step() == 1.5);  // of 0.75 and 2.25
  CHECK(shown() == 1.5);
  CHECK(entry(optimizer.state_tree(), "groups/0/copies/1/weights/w").item() == 1.5);
  CHECK(step() == 1.25);  // and 2.25
  CHECK(step() == (1.125 + 2.625) / 2);
  CHECK(asked == std::vector<std::int64_t>{0, 1, 0, 1, 0, 1, 0, 1});
  CHECK(optimizer.copy() == 0);
}

TEST_CASE("every copy does what the page does, bit for bit") {
  for (const InnerState state : {InnerState::maintain, InnerState::reset}) {
    for (const bool is_nest : {false, true}) {
      compare<float, Momentum>({.lr = 0.1, .momentum = 0.9}, 3, 4, state, is_nest);
      compare<double, Adam>({.lr = 0.05}, 2, 6, state, is_nest);
      compare<float, Nadam>({.lr = 0.05}, 4, 3, state, is_nest);
      compare<double, Sgd>({.lr = 0.1}, 5, 1, state, is_nest);
    }
  }
}

TEST_CASE("copies that see the same are the inner rule, bit for bit") {
  NamedTensors one = model(3), other = model(3);
  Optimizer copied(one, parse_rule("lookaround(adam(lr=0.01), copies=3, k=4)")), plain(other, adam({.lr = 0.01}));
  for (std::int64_t step = 0; step < 10; ++step) {
    copied.step([&] { return put(one, step, 0), Tensor(); });
    plain.step([&] { return put(other, step, 0), Tensor(); });
  }
  CHECK(same(one, other));
}

TEST_CASE("lookaround goes on exactly from a saved state, in two groups as in one, and is explained") {
  const Rule rule = parse_rule("lookahead(lookaround(adam(lr=0.01), copies=3, k=3), k=6, alpha=0.5)");
  NamedTensors whole = model(3), split = model(3), resumed = model(9);
  Optimizer optimizer(whole, rule), pair({Group{{split[0], split[1]}, rule}, Group{{split[2], split[3]}, rule}});
  optimizer.trace("conv.bias", {2});
  for (std::int64_t step = 0; step < 13; ++step) {
    const Snapshot before = optimizer.snapshot();
    around(optimizer, whole, step, step + 1);
    around(pair, split, step, step + 1);
    CHECK(same(whole, split));
    const Explanation e = optimizer.explain("conv.bias", {2});
    CHECK(e.is_exact);
    CHECK((e.to_string().find("mean = mean + (w - mean) / copies") != std::string::npos) == (step % 3 == 2));
    if (step % 5 != 4) continue;
    Optimizer again(resumed, rule);
    again.restore(before);
    around(again, resumed, step, step + 1);
    CHECK(same(whole, resumed));
  }
}

TEST_CASE("a fork gives each copy the state of the rule before it") {
  NamedTensors parameters = model(3), others = model(4);
  Optimizer optimizer(parameters, adam({.lr = 0.01})),
      forked(others, parse_rule("lookaround(adam(lr=0.01), copies=2, k=50)"));
  around(optimizer, parameters, 0, 6);
  const ForkReport report = forked.fork(optimizer.snapshot());
  for (const char* taken : {"inner/exp_avg/conv.bias", "copies/1/inner/exp_avg/conv.bias", "copies/1/inner/step"})
    CHECK(std::count(report.taken.begin(), report.taken.end(), std::string("groups/0/") + taken) == 1);
  around(optimizer, parameters, 6, 9);
  around(forked, others, 6, 9);
  CHECK(same(parameters, others));
  CHECK_FALSE(identical(entry(forked.state_tree(), "groups/0/copies/1/weights/conv.bias"), others[1].tensor.value()));
}

TEST_CASE("a watched step, and a callback before the mean") {
  NamedTensors parameters = model(3), plain = model(3);
  const Rule rule = parse_rule("lookaround(sgd(lr=0.1), copies=2, k=2)");
  Optimizer optimizer(parameters, rule), other(plain, rule);
  optimizer.watch_steps(true);
  std::vector<std::string> events;
  optimizer.on_sync([&](const SyncEvent& event) { events.emplace_back(event.name); });
  optimizer.fast("conv.bias");
  around(optimizer, parameters, 0, 4);
  around(other, plain, 0, 4);
  CHECK(same(parameters, plain));
  CHECK(events == std::vector<std::string>{"lookaround", "lookaround"});
  REQUIRE(optimizer.last_step().levels.size() == 1);
  CHECK(optimizer.last_step().levels[0].synced);
  CHECK(optimizer.last_step().levels[0].distance > 0);
  CHECK(identical(optimizer.slow("conv.bias"), parameters[1].tensor.value()));
  CHECK_FALSE(identical(optimizer.fast("conv.bias"), parameters[1].tensor.value()));
}

TEST_CASE("each copy draws for itself, and the same in all its evaluations") {
  Tensor w(Array::full({1}, 1), true);
  Array state = Array::zeros({}, DType::i64);  // as a layer that counts its calls keeps it
  Optimizer optimizer({{"w", w}}, parse_rule("lookaround(sam(sgd(lr=0), rho=0.1), copies=2, k=9)"));
  std::vector<double> draws;
  for (int t = 0; t < 2; ++t) {
    optimizer.step([&] {
      Evaluations::note(state);
      draws.push_back(state.item());
      state.fill(state.item() + 1);
      w.accumulate_grad(Array::full({1}, 1));
      return Tensor();
    });
  }
  CHECK(draws == std::vector<double>{0, 1, 0, 1, 2, 3, 2, 3});
}

TEST_CASE("what lookaround refuses") {
  const auto refused = [](const char* rule) {
    return message([&] {
      Tensor w(Array::full({1}, 8), true);
      Optimizer({{"w", w}}, parse_rule(rule));
    });
  };
  for (const char* round : {"clip_norm(lookaround(sgd(lr=1)), max=1)", "accumulate(lookaround(sgd(lr=1)), n=2)",
                            "apply_if_finite(lookahead(lookaround(sgd(lr=1))))", "cautious(lookaround(sgd(lr=1)))",
                            "sam(lookaround(sgd(lr=1)))"}) {
    CHECK_MESSAGE(refused(round) ==
                      "lookaround: a rule round it changes gradients, updates or steps: it would change copy 0 alone; "
                      "put it inside: lookaround(clip_norm(...))",
                  round);
  }
  CHECK(refused("lookaround(lookahead(lookaround(sgd(lr=1))))") ==
        "lookaround: is inside another: lookahead(lookaround(sgd(lr=1), copies=3, k=5), k=5, alpha=0.5); use more "
        "copies");
  CHECK(message([] { lookaround(sgd(), {.state = InnerState::interpolate}); }) ==
        "lookaround: state is interpolate, must be maintain or reset");
  CHECK(message([] { lookaround(sgd(), {.copies = 1}); }) == "lookaround: copies is 1, must be in [2, 64]");
  CHECK(refused("outer_loop(sgd(lr=1), lookaround(sgd(lr=1)), k=2)")
            .find("outer_loop: the outer rule needs step(closure)") == 0);
  Tensor w(Array::full({1}, 8), true);
  Optimizer optimizer({{"w", w}}, lookaround(sgd({.lr = 1})));
  w.accumulate_grad(Array::full({1}, 1));
  CHECK(
      message([&] { optimizer.step(); }) ==
      "optimizer: the rule needs the loss at other weights: lookaround(sgd(lr=1), copies=3, k=5); call step(closure)");
}
