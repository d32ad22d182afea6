// Step counts of forks: those of parameters and of bias corrections go with the state that they belong to.
#include <algorithm>
#include <cmath>

#include "support.h"

using namespace support;

TEST_CASE("a fork takes over how many steps a parameter has missed") {
  for (const char* spec : {"adam(lr=0.01)", "lookahead(adam(lr=0.01), k=3)"}) {
    CAPTURE(spec);
    NamedTensors parameters = model(3), others = model(9);
    Optimizer optimizer(parameters, parse_rule(spec)), forked(others, parse_rule(spec));
    const auto step = [](Optimizer& o, const NamedTensors& p, int t) {
      o.zero_grad();
      for (std::size_t i = 0; i < 4; ++i)
        if (i != 1 || t % 3 == 1) Tensor(p[i].tensor).accumulate_grad(gradient(p[i].tensor, 5, t, i));
      o.step();
    };
    for (int t = 0; t < 8; ++t) step(optimizer, parameters, t);
    forked.fork(optimizer.snapshot());
    for (int t = 8; t < 12; ++t) step(optimizer, parameters, t), step(forked, others, t);
    CHECK(same(parameters, others));
  }
}

TEST_CASE("moments that start anew have their bias corrected anew") {
  Tensor w(Array::full({3}, 1, DType::f64), true), v(Array::full({3}, 0, DType::f64), true);
  Optimizer optimizer({{"w", w}}, momentum({.lr = 0.1})), forked({{"w", v}}, adam({.lr = 0.1, .eps = 0}));
  const Array g = Array::from({1, -2, 3}, {3}, DType::f64);
  for (int t = 0; t < 13; ++t) {
    optimizer.zero_grad();
    w.accumulate_grad(g);
    optimizer.step();
  }
  const ForkReport report = forked.fork(optimizer.snapshot());
  CHECK(forked.step_count() == 13);
  CHECK(std::count(report.taken.begin(), report.taken.end(), "step") == 1);
  CHECK(std::count(report.fresh.begin(), report.fresh.end(), "groups/0/step") == 1);
  forked.zero_grad();
  v.accumulate_grad(g);
  forked.step();
  for (int i = 0; i < 3; ++i)  // Adam's first step is lr, whatever the gradient
    CHECK(std::abs(std::abs(v.value().at({i}) - w.value().at({i})) - 0.1) < 1e-12);
}

TEST_CASE("a rule of whose state a snapshot has a part begins anew as a whole, as without the snapshot") {
  for (const char* spec : {"novograd(lr=0.01)", "nadam(lr=0.01)", "adafactor(lr=0.01)", "adabelief(lr=0.01)",
                           "soap(lr=0.01)", "lookahead(novograd(lr=0.01), k=5)"}) {
    CAPTURE(spec);
    NamedTensors parameters = model(3), forked_ones = model(7), fresh_ones = model(8);
    Optimizer optimizer(parameters, adam({.lr = 0.01})), forked(forked_ones, parse_rule(spec));
    train(optimizer, parameters, 0, 20);
    const Snapshot snapshot = optimizer.snapshot();
    forked.fork(snapshot);
    for (const NamedTensor& p : fresh_ones) Array(p.tensor.value()).copy_from(entry(snapshot.weights, p.name));
    Optimizer fresh(fresh_ones, parse_rule(spec));
    train(forked, forked_ones, 20, 27);
    train(fresh, fresh_ones, 20, 27);
    CHECK(same(forked_ones, fresh_ones));
    CHECK(forked.step_count() == 27);
  }
}
