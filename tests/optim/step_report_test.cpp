// Step reports against plain loops in double, for both dtypes. That they change no weight: watch_test.cpp.
#include <cmath>
#include <limits>

#include "support.h"

using namespace support;

namespace {

using Numbers = std::vector<double>;

Numbers flat(const NamedTensors& parameters) {
  Numbers all;
  for (const NamedTensor& p : parameters) {
    const Array x = p.tensor.value().to(DType::f64);
    all.insert(all.end(), x.data<double>(), x.data<double>() + x.size());
  }
  return all;
}

double distance(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

/// w <- w + A(g), one step of a rule.
using Inner = std::function<void(Numbers& w, const Numbers& g)>;

Inner plain_sgd(double lr) {
  return [=](Numbers& w, const Numbers& g) {
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= lr * g[i];
  };
}

Inner plain_momentum(double lr, double beta) {
  return [=, v = Numbers()](Numbers& w, const Numbers& g) mutable {
    v.resize(w.size());
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= lr * (v[i] = beta * v[i] + g[i]);
  };
}

Inner plain_adam(double lr) {
  return [=, m = Numbers(), v = Numbers(), t = 0](Numbers& w, const Numbers& g) mutable {
    m.resize(w.size()), v.resize(w.size()), ++t;
    for (std::size_t i = 0; i < w.size(); ++i) {
      m[i] = 0.9 * m[i] + 0.1 * g[i], v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
      w[i] -= lr * m[i] / (1 - std::pow(0.9, t)) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
    }
  };
}

Inner plain_clip(double max, const Inner& inner, double& factor) {
  return [=, &factor](Numbers& w, Numbers g) {
    const double norm = distance(g, Numbers(g.size()));
    factor = norm > max ? max / norm : 1;
    for (double& x : g) x *= factor;
    inner(w, g);
  };
}

struct Loop {
  int k;
  double alpha;
  Numbers slow = {};
  int counter = 0;
  bool synced = false;
  double distance = 0;
};

/// Plain loops: `loops` from outermost, round `inner`.
struct Plain {
  Inner inner;
  std::vector<Loop> loops;
  double gradient_norm = 0, update_norm = 0;

  void step(Numbers& w, const Numbers& g) {
    for (Loop& loop : loops) {
      if (loop.slow.empty()) loop.slow = w;
    }
    const Numbers before = w;
    gradient_norm = distance(g, Numbers(g.size()));
    inner(w, g);
    update_norm = distance(w, before);
    for (std::size_t l = loops.size(); l-- > 0;) {
      Loop& loop = loops[l];
      loop.distance = distance(w, loop.slow);
      if (l == 0) update_norm = distance(w, before);
      loop.synced = ++loop.counter == loop.k;
      if (!loop.synced) continue;
      for (std::size_t i = 0; i < w.size(); ++i) w[i] = loop.slow[i] += loop.alpha * (w[i] - loop.slow[i]);
      loop.counter = 0;
      for (std::size_t in = l + 1; in < loops.size(); ++in) loops[in].slow = w, loops[in].counter = 0;
    }
  }
};

void check_report(const StepReport& report, const Plain& plain, double clip_factor, double tolerance) {
  const auto is = [&](double x) { return doctest::Approx(x).epsilon(tolerance); };
  CHECK(report.gradient_norm == is(plain.gradient_norm));
  CHECK(report.update_norm == is(plain.update_norm));
  CHECK(report.clip_factor == is(clip_factor));
  REQUIRE(report.levels.size() == plain.loops.size());
  for (std::size_t l = 0; l < plain.loops.size(); ++l) {
    CHECK(report.levels[l].name == "lookahead");
    CHECK(report.levels[l].group == 0);
    CHECK(report.levels[l].synced == plain.loops[l].synced);
    CHECK(report.levels[l].distance == is(plain.loops[l].distance));
    if (plain.loops[l].synced) {
      CHECK(report.levels[l].alpha == plain.loops[l].alpha);
    } else {
      CHECK(std::isnan(report.levels[l].alpha));
    }
  }
}

/// 13 steps beside plain loops; a step with `absent` leaves out the gradient of parameter 1.
void follow(const std::string& spec, const std::function<Plain(double& factor)>& make, bool absent = false) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    NamedTensors parameters = model(3, dtype);
    Tensor frozen(Array::full({5}, 2, dtype), false);
    NamedTensors given = parameters;
    given.push_back({"frozen", frozen});
    Optimizer optimizer(given, parse_rule(spec));
    optimizer.watch_steps(true);
    double factor = 1;
    Plain plain = make(factor);
    Numbers w = flat(parameters);
    for (int t = 0; t < 13; ++t) {
      optimizer.zero_grad();
      Numbers g;
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        Array x = gradient(parameters[i].tensor, 77, t, i);
        if (absent && i == 1 && t % 3 == 1) {
          x.fill(0);  // sgd: the same as none
        } else {
          parameters[i].tensor.accumulate_grad(x);
        }
        const Array d = x.to(DType::f64);
        g.insert(g.end(), d.data<double>(), d.data<double>() + d.size());
      }
      optimizer.step();
      plain.step(w, g);
      CHECK(optimizer.last_step().step == t + 1);
      check_report(optimizer.last_step(), plain, factor, dtype == DType::f32 ? 1e-5 : 1e-12);
    }
  }
}

}  // namespace

TEST_CASE("reports are those of plain loops") {
  follow("sgd(lr=0.1)", [](double&) { return Plain{plain_sgd(0.1), {}}; });
  follow("momentum(lr=0.1, momentum=0.9)", [](double&) { return Plain{plain_momentum(0.1, 0.9), {}}; });
  follow("adam(lr=0.01)", [](double&) { return Plain{plain_adam(0.01), {}}; });
  follow("lookahead(adam(lr=0.01), k=5, alpha=0.5)", [](double&) { return Plain{plain_adam(0.01), {{5, 0.5}}}; });
  follow("lookahead(lookahead(momentum(lr=0.1), k=2, alpha=0.5), k=5, alpha=0.8)", [](double&) {
    return Plain{plain_momentum(0.1, 0.9), {{5, 0.8}, {2, 0.5}}};
  });
  follow("clip_norm(sgd(lr=0.1), max=183)", [](double& f) { return Plain{plain_clip(183, plain_sgd(0.1), f), {}}; });
  follow("ema(clip_norm(lookahead(adam(lr=0.01), k=3, alpha=0.2), max=20), decay=0.9)", [](double& f) {
    return Plain{plain_clip(20, plain_adam(0.01), f), {{3, 0.2}}};
  });
  follow(
      "lookahead(sgd(lr=0.1), k=2, alpha=0.5)",
      [](double&) {
        return Plain{plain_sgd(0.1), {{2, 0.5}}};
      },
      true);
}

TEST_CASE("norms are over all groups; levels stand group by group") {
  NamedTensors parameters = model(3);
  Optimizer optimizer({{{parameters[0], parameters[1]}, parse_rule("lookahead(sgd(lr=0.5), k=2, alpha=0.25)")},
                       {{parameters[2]}, parse_rule("clip_norm(sgd(lr=1), max=1)")},
                       {{parameters[3]}, parse_rule("outer_loop(sgd(lr=1), clip_norm(sgd(lr=0.7), max=1e-9), k=1)")}});
  optimizer.watch_steps(true);
  put_gradients(parameters, 77, 0);
  double square = 0, update = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Array g = gradient(parameters[i].tensor, 77, 0, i);
    double own = 0;
    for (std::int64_t j = 0; j < g.size(); ++j) own += std::pow(static_cast<double>(g.data<float>()[j]), 2);
    square += own;
    update += i < 2 ? own / 4 : i == 2 ? 1 : own;
  }
  optimizer.step();
  const StepReport& report = optimizer.last_step();
  CHECK(report.gradient_norm == doctest::Approx(std::sqrt(square)).epsilon(1e-6));
  CHECK(report.update_norm == doctest::Approx(std::sqrt(update)).epsilon(1e-5));
  CHECK(report.clip_factor < 0.01);
  CHECK(report.clip_factor > 0.001);  // not that of the outer rule
  REQUIRE(report.levels.size() == 2);
  CHECK(report.levels[0].name == "lookahead");
  CHECK_FALSE(report.levels[0].synced);
  CHECK(report.levels[1].name == "outer_loop");
  CHECK(report.levels[1].group == 2);
  CHECK(report.levels[1].synced);
  CHECK(report.levels[1].alpha == 0.7);
}

TEST_CASE("alpha of a report: chosen when adaptive, NaN where an outer rule has no lr") {
  NamedTensors w = {{"w", Tensor(Array::full({2}, 3, DType::f64), true)}};
  Optimizer optimizer(w, lookahead(sgd({.lr = 0.5}), {.k = 1, .adaptive = true, .alpha_low = 0.1}));
  optimizer.watch_steps(true);
  optimizer.step([&] {
    Tensor loss = sum(w[0].tensor * w[0].tensor) * 0.5;
    loss.backward();
    return loss;
  });
  CHECK(optimizer.last_step().levels[0].alpha == 1);  // alpha* = 2
  CHECK(optimizer.last_step().gradient_norm == doctest::Approx(std::sqrt(18)).epsilon(1e-15));
}

TEST_CASE("norms whose squares leave the range of double") {
  for (const double size : {1e200, 1e-200}) {
    Tensor w(Array::zeros({3}, DType::f64), true), v(Array::zeros({2}, DType::f64), true);
    Optimizer optimizer({{"w", w}, {"v", v}}, sgd({.lr = 2}));
    optimizer.watch_steps(true);
    w.accumulate_grad(Array::from({3 * size, 0.0, 0.0}, {3}, DType::f64));
    v.accumulate_grad(Array::from({0.0, 4 * size}, {2}, DType::f64));
    optimizer.step();
    CHECK(optimizer.last_step().gradient_norm == doctest::Approx(5 * size).epsilon(1e-15));
    CHECK(optimizer.last_step().update_norm == doctest::Approx(10 * size).epsilon(1e-15));
  }
  Tensor w(Array::zeros({1}, DType::f64), true);
  Optimizer optimizer({{"w", w}}, sgd({.lr = 0.1}));
  optimizer.watch_steps(true);
  w.accumulate_grad(Array::full({1}, std::numeric_limits<double>::infinity(), DType::f64));
  optimizer.step();
  CHECK(std::isinf(optimizer.last_step().gradient_norm));
}

TEST_CASE("a report is there only when a step was watched, and allocates nothing") {
  NamedTensors parameters = model(3);
  Optimizer optimizer(parameters, parse_rule("lookahead(adam, k=2, alpha=0.5)"));
  train(optimizer, parameters, 0, 2);
  CHECK(message([&] { optimizer.last_step(); }) ==
        "optimizer: no step was watched; call watch_steps(true) before step");
  optimizer.watch_steps(true);
  train(optimizer, parameters, 2, 4);
  const std::int64_t before = allocation_count();
  for (int t = 0; t < 3; ++t) optimizer.step();
  CHECK(allocation_count() == before);
  optimizer.watch_steps(false);
  optimizer.step();
  CHECK(optimizer.last_step().step == 7);
}

TEST_CASE("a report has the lr of its step: of the leaf, not of an outer rule; nan where there is none") {
  const auto lr_of = [](const std::string& spec, int steps) {
    Tensor w(Array::full({3}, 1), true);
    Optimizer optimizer(NamedTensors{{"w", w}}, parse_rule(spec, 10));
    optimizer.watch_steps(true);
    for (int i = 0; i < steps; ++i) {
      optimizer.zero_grad();
      sum(w * w).backward();
      optimizer.step();
    }
    return optimizer.last_step().lr;
  };
  CHECK(lr_of("sgd(lr=0.5)", 3) == 0.5);
  CHECK(lr_of("outer_loop(sgd(lr=0.25), sgd(lr=0.7), k=2)", 2) == 0.25);
  CHECK(lr_of("lookahead(sgd(lr=0.1 * linear(total=10)), k=2, alpha=0.5)", 3) == doctest::Approx(0.1 * 0.8));
}
