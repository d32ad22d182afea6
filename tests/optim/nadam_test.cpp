// nadam's product of momenta is state: by hand, with another beta1 in mid-training, saved, forked and shown. The same
// in PyTorch: golden_test.cpp.
#include <algorithm>

#include "support.h"

using namespace support;

namespace {

constexpr const char* kChanged = "nadam(lr=0.01, beta1=0.9 * multistep(at=5, by=0.5))";
constexpr const char* kConstant = "nadam(lr=0.01, beta1=0.9)";

/// The rule inside `pattern`, whose `?` it replaces.
Rule inside(std::string pattern, const char* rule) { return parse_rule(pattern.replace(pattern.find('?'), 1, rule)); }

}  // namespace

TEST_CASE("nadam by hand, with another beta1 in the second step") {
  Tensor w(Array::zeros({1}, DType::f64), true);
  // Without decay mu is beta1 / 2; v / (1 - beta2^t) is 1.
  Optimizer optimizer({{"w", w}}, nadam({.lr = 1, .beta1 = 0.8, .eps = 0, .momentum_decay = 0}));
  optimizer.trace("w", {0});
  w.accumulate_grad(Array::full({1}, 1, DType::f64));
  optimizer.step();
  const double first = 0.6 / (1 - 0.4) + 0.4 / (1 - 0.4 * 0.4) * 0.2;  // m = 0.2
  CHECK(w.item() == doctest::Approx(-first).epsilon(1e-13));
  optimizer.set("beta1", 0.4);
  optimizer.step();
  const double second = 0.8 / (1 - 0.4 * 0.2) + 0.2 / (1 - 0.4 * 0.2 * 0.2) * 0.68;  // m = 0.4 * 0.2 + 0.6
  CHECK(w.item() == doctest::Approx(-first - second).epsilon(1e-13));
  CHECK(entry(optimizer.state_tree(), "groups/0/mu_product/w").item() == doctest::Approx(0.08).epsilon(1e-14));
  const Explanation e = optimizer.explain("w", {0});
  CHECK(e.is_exact);
  CHECK(std::count(e.state.begin(), e.state.end(), std::pair<std::string, double>("mu_product/w", 0.4)) == 1);
  CHECK(e.to_string().find("          mu_product/w = 0.4\n") != std::string::npos);
}

TEST_CASE("beta1 that is set goes on as one that was scheduled, bit for bit") {
  for (const char* pattern : {"?", "lookahead(?, k=3, alpha=0.5)", "accumulate(?, n=2)",
                              "lookahead(?, k=4, alpha=0.5, state=reset)", "apply_if_finite(?)"}) {
    CAPTURE(pattern);
    NamedTensors set = model(3), scheduled = model(3);
    Optimizer one(set, inside(pattern, kConstant)), other(scheduled, inside(pattern, kChanged));
    train(one, set, 0, 5);
    one.set("beta1", 0.45);
    train(one, set, 5, 11);
    train(other, scheduled, 0, 11);
    CHECK(same(set, scheduled));
  }
}

TEST_CASE("the product is resumed and forked") {
  NamedTensors parameters = model(3), resumed = model(4), ahead = model(5);
  Optimizer optimizer(parameters, parse_rule(kConstant));
  train(optimizer, parameters, 0, 5);
  const Snapshot snapshot = optimizer.snapshot();
  optimizer.set("beta1", 0.45);
  train(optimizer, parameters, 5, 9);

  Optimizer again(resumed, nadam({.lr = 0.01, .beta1 = 0.45}));
  again.load_state_tree(cloned(snapshot.state));
  for (const NamedTensor& p : resumed) Array(p.tensor.value()).copy_from(entry(snapshot.weights, p.name));
  train(again, resumed, 5, 9);
  CHECK(same(parameters, resumed));

  Optimizer forked(ahead, lookahead(nadam({.lr = 0.01, .beta1 = 0.45}), {.k = 100}));
  const ForkReport report = forked.fork(snapshot);
  CHECK(std::count(report.taken.begin(), report.taken.end(), "groups/0/inner/mu_product/conv.weight") == 1);
  train(forked, ahead, 5, 9);
  CHECK(same(parameters, ahead));
}
