// Lookahead and outer loops: the hand trajectory, constant gradients, identities bit for bit, and what each state mode
// touches. Nests against the page of the paper's algorithm: reference_test.cpp.
#include <cmath>
#include <memory>

#include "support.h"

using namespace support;

namespace {

/// One weight in f64 with gradient `g` in every step; the weight after each.
std::vector<double> constant_gradient(const Rule& rule, double start, double g, int steps) {
  Tensor w(Array::full({1}, start, DType::f64), true);
  Optimizer optimizer({{"w", w}}, rule);
  std::vector<double> path;
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, g, DType::f64));
    optimizer.step();
    path.push_back(w.item());
  }
  return path;
}

constexpr double kLarge = 1e3;  // steps so large that slow - (slow - fast) is often not fast

}  // namespace

TEST_CASE("the hand trajectory") {
  // 3 -> 2 -> 1 -> 2 (sync) -> 1 -> 0 -> 1 (sync): a sync belongs to the k-th step.
  CHECK(constant_gradient(lookahead(sgd({.lr = 1}), {.k = 2, .alpha = 0.5}), 3, 1, 4) ==
        std::vector<double>{2, 2, 1, 1});
}

TEST_CASE("after k steps of a constant gradient: slow = x0 + alpha (fast - x0)") {
  for (const int k : {1, 5, 100}) {
    for (const double alpha : {0.0, 0.3, 0.5, 1.0}) {
      const Rule rule = lookahead(sgd({.lr = 0.25}), {.k = k, .alpha = alpha});
      const std::vector<double> path = constant_gradient(rule, 2, 1, 2 * k);
      for (int i = 0; i + 1 < k; ++i) CHECK(path[static_cast<std::size_t>(i)] == 2 - 0.25 * (i + 1));
      const double first = 2 + alpha * (-0.25 * k);
      CHECK(path[static_cast<std::size_t>(k - 1)] == doctest::Approx(first).epsilon(1e-14));
      CHECK(path.back() == doctest::Approx(first + alpha * (-0.25 * k)).epsilon(1e-14));
    }
  }
}

TEST_CASE("identities, bit for bit") {
  for (const Rule& inner : {sgd({.lr = 0.3}), momentum({.lr = 0.1, .weight_decay = 0.01}), adam({.lr = 0.5})}) {
    CAPTURE(inner.describe());
    for (const int k : {1, 3, 5}) {
      CHECK(same(trained(lookahead(inner, {.k = k, .alpha = 1}), 17, kLarge), trained(inner, 17, kLarge)));
      CHECK(same(trained(lookahead(inner, {.k = k, .alpha = 0}), 3 * k, kLarge), model(3)));
      for (const double alpha : {0.0, 0.3, 0.8}) {
        CHECK(same(trained(lookahead(inner, {.k = k, .alpha = alpha}), 17, kLarge),
                   trained(outer_loop(inner, sgd({.lr = alpha}), {.k = k}), 17, kLarge)));
      }
    }
    const Rule x = lookahead(inner, {.k = 3, .alpha = 0.6});
    CHECK(same(trained(lookahead(x, {.k = 6, .alpha = 1}), 20, kLarge), trained(x, 20, kLarge)));
    CHECK(same(trained(lookahead(inner, {.k = 100}), 20), trained(inner, 20)));
  }
  for (const DType dtype : {DType::f32, DType::f64}) {
    CHECK(same(trained(lookahead(adam(), {.alpha = 1}), 12, kLarge, dtype), trained(adam(), 12, kLarge, dtype)));
  }
}

TEST_CASE("large steps would show a pull that computes alpha = 1") {
  Generator generator(1);
  int different = 0;
  for (int i = 0; i < 10000; ++i) {
    const auto slow = static_cast<float>(generator.normal());
    float fast = slow;
    for (int step = 0; step < 5; ++step) fast += static_cast<float>(generator.normal());
    different += slow - (slow - fast) != fast;
  }
  CHECK(different > 500);
}

TEST_CASE("k = 1 with sgd(lr) is sgd(alpha lr) up to rounding") {
  const NamedTensors a = trained(lookahead(sgd({.lr = 0.2}), {.k = 1, .alpha = 0.3}), 20, 1, DType::f64);
  const NamedTensors b = trained(sgd({.lr = 0.06}), 20, 1, DType::f64);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = a[i].tensor.value().to_vector<double>(), y = b[i].tensor.value().to_vector<double>();
    double worst = 0;
    for (std::size_t j = 0; j < x.size(); ++j) worst = std::max(worst, std::abs(x[j] - y[j]));
    CHECK(worst < 1e-13);
  }
}

TEST_CASE("an outer sync re-anchors inner slow weights and restarts their cycle") {
  const Rule rule = lookahead(lookahead(sgd({.lr = 1}), {.k = 2, .alpha = 0.5}), {.k = 3, .alpha = 0.5});
  // inner: 8 -> 7 -> 6, pulled to 7; 6, and the outer sync pulls to 7: the inner cycle starts anew from 7.
  CHECK(constant_gradient(rule, 8, 1, 6) == std::vector<double>{7, 7, 7, 6, 6, 6});
}

TEST_CASE("the three state modes touch the buffers they should") {
  for (const bool is_adam : {false, true}) {
    const Rule inner = is_adam ? adam({.lr = 0.1}) : momentum({.lr = 0.1});
    const std::string m =
        is_adam ? "groups/0/inner/exp_avg/linear.weight" : "groups/0/inner/momentum_buffer/linear.weight";
    const std::string v = "groups/0/inner/exp_avg_sq/linear.weight", count = "groups/0/inner/step";
    const auto tree_after = [&](const Rule& rule, int steps) {
      NamedTensors parameters = model(3);
      Optimizer optimizer(parameters, rule);
      train(optimizer, parameters, 0, steps);
      return cloned(optimizer.state_tree());
    };
    const auto wrap = [&](InnerState state) { return lookahead(inner, {.k = 4, .alpha = 0.25, .state = state}); };
    const NamedArrays plain = tree_after(lookahead(inner, {.k = 1000}), 4);
    const NamedArrays maintain = tree_after(wrap(InnerState::maintain), 4);
    const NamedArrays reset = tree_after(wrap(InnerState::reset), 4);
    const NamedArrays mixed = tree_after(wrap(InnerState::interpolate), 4);

    CHECK(identical(entry(maintain, m), entry(plain, m)));
    CHECK(entry(maintain, count).item() == 4);
    CHECK(identical(entry(reset, m), Array::zeros(entry(reset, m).shape())));
    CHECK(entry(reset, count).item() == 0);
    const auto now = entry(plain, m).to_vector<float>();
    std::vector<float> expected;
    for (const float x : now) expected.push_back(0.25F * x + 0.75F * 0.0F);  // first moments were zero at the start
    CHECK(identical(entry(mixed, m), Array::from(expected, entry(mixed, m).shape())));
    CHECK(identical(entry(mixed, "groups/0/last" + m.substr(8)), entry(mixed, m)));
    CHECK(entry(mixed, count).item() == 4);
    if (is_adam) {
      CHECK(identical(entry(maintain, v), entry(plain, v)));
      CHECK(identical(entry(mixed, v), entry(plain, v)));
      CHECK(identical(entry(reset, v), Array::zeros(entry(reset, v).shape())));
    }
    CHECK(identical(entry(mixed, "groups/0/slow/linear.weight"), entry(maintain, "groups/0/slow/linear.weight")));

    // A reset inner rule goes on like a fresh one: Adam's bias correction matches its moments.
    NamedTensors parameters = model(3);
    Optimizer optimizer(parameters, wrap(InnerState::reset));
    train(optimizer, parameters, 0, 4);
    NamedTensors fresh;
    for (const NamedTensor& p : parameters) fresh.push_back({p.name, Tensor(p.tensor.value().clone(), true)});
    Optimizer other(fresh, inner);
    train(optimizer, parameters, 4, 7);
    train(other, fresh, 4, 7);
    CHECK(same(parameters, fresh));
  }
}

TEST_CASE("the inner weight decay is kept") {
  const std::vector<double> path =
      constant_gradient(lookahead(sgd({.lr = 0.5, .weight_decay = 1}), {.k = 2, .alpha = 0.5}), 1, 0, 2);
  CHECK(path[0] == 0.5);
  CHECK(path[1] == 1 - 0.5 * (1 - 0.25));
}

TEST_CASE("outer momentum is SlowMo's update") {
  const Rule rule = outer_loop(sgd({.lr = 1}), momentum({.lr = 0.5, .momentum = 0.5}), {.k = 2});
  // u = 0.5 u + (slow - fast), slow -= 0.5 u, from 0 with gradient 1: u 2, 3, 3.5.
  CHECK(constant_gradient(rule, 0, 1, 6) == std::vector<double>{-1, -1, -2, -2.5, -3.5, -4.25});
}

TEST_CASE("an outer rule may measure the pseudo-gradient, at any depth") {
  const Rule clipped = outer_loop(sgd({.lr = 1}), clip_norm(sgd({.lr = 1}), 0.5), {.k = 2});
  CHECK(constant_gradient(clipped, 0, 1, 4) == std::vector<double>{-1, -0.5, -1.5, -1});
  const Rule loose = outer_loop(adam({.lr = 0.1}), clip_norm(sgd({.lr = 0.5}), 1e9), {.k = 3});
  CHECK(same(trained(loose, 10), trained(lookahead(adam({.lr = 0.1}), {.k = 3}), 10)));
  CHECK(same(trained(clip_norm(lookahead(loose, {.k = 5}), 1e9), 12),
             trained(lookahead(lookahead(adam({.lr = 0.1}), {.k = 3}), {.k = 5}), 12)));
  const Rule nest = outer_loop(sgd({.lr = 1}), lookahead(sgd({.lr = 1}), {.k = 2, .alpha = 0.5}), {.k = 1});
  CHECK(constant_gradient(nest, 3, 1, 4) == std::vector<double>{2, 2, 1, 1});
}

TEST_CASE("alpha can follow a schedule") {
  const Rule rule = lookahead(sgd({.lr = 1}), {.k = 1, .alpha = schedule::linear({.total = 2})});
  CHECK(constant_gradient(rule, 0, 1, 3) == std::vector<double>{-1, -1.5, -1.5});
}

TEST_CASE("the number of threads changes nothing") {
  const Rule rule = clip_norm(lookahead(adam({.lr = 0.1}), {.k = 3, .state = InnerState::interpolate}), 1);
  const int before = threads();
  set_threads(1);
  const NamedTensors one = trained(rule, 10);
  set_threads(3);
  const NamedTensors three = trained(rule, 10);
  set_threads(before);
  CHECK(same(one, three));
}
