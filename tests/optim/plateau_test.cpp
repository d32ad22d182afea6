// Plateau schedules: hand values as PyTorch's ReduceLROnPlateau has them, state in the tree, one state an Optimizer.
#include <cmath>
#include <limits>

#include "support.h"

using namespace support;

namespace {

struct OneWeight {
  Tensor w = Tensor(Array::zeros({1}), true);
  Optimizer optimizer;
  explicit OneWeight(const char* spec) : optimizer({{"w", w}}, parse_rule(spec)) {}

  std::vector<double> after(const std::vector<double>& metrics) {
    std::vector<double> lrs;
    for (const double m : metrics) {
      optimizer.report(m);
      lrs.push_back(optimizer.peek("lr"));
    }
    return lrs;
  }
};

}  // namespace

TEST_CASE("the lr falls when the metric has not improved for more than patience reports") {
  CHECK(OneWeight("sgd(lr=plateau(by=0.5, patience=1))").after({5, 4, 4, 4, 4, 4, 3, 3, 3}) ==
        std::vector<double>{1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125});
  CHECK(OneWeight("sgd(lr=8 * plateau(by=0.5, patience=0, end=0.25))").after({1, 1, 1, 1, 1}) ==
        std::vector<double>{8, 4, 2, 2, 2});
  CHECK(OneWeight("sgd(lr=plateau(by=0.5, patience=0, cooldown=2))").after({1, 1, 1, 1, 1, 1}) ==
        std::vector<double>{1, 0.5, 0.5, 0.5, 0.25, 0.25});
  // A relative threshold: 0.95 is not 10 % better than 1, 0.89 is.
  CHECK(OneWeight("sgd(lr=plateau(by=0.5, patience=0, threshold=0.1))").after({1, 0.95, 0.89}) ==
        std::vector<double>{1, 0.5, 0.5});
  CHECK(OneWeight("sgd(lr=plateau(by=0.5, patience=0, maximize=1))").after({1, 2, 2, 1}) ==
        std::vector<double>{1, 1, 0.5, 0.25});
}

TEST_CASE("any hyper-parameter, of any part of a product or of a composition") {
  OneWeight a(
      "lookahead(sgd(lr=0.5 * plateau(patience=0) * linear(total=10)), k=2, alpha=0.8 * plateau(by=0.5, patience=0))");
  a.optimizer.report(1);
  a.optimizer.report(1);
  CHECK(a.optimizer.peek("alpha") == 0.4);
  CHECK(a.optimizer.peek("lr") == doctest::Approx(0.05));
  OneWeight b("sgd(lr=piecewise(1, plateau(by=0.5, patience=0), at=1))");
  b.optimizer.report(1);
  b.optimizer.report(1);
  CHECK(b.optimizer.peek("lr") == 1);
  b.w.accumulate_grad(Array::full({1}, 1));
  b.optimizer.step();
  CHECK(b.optimizer.peek("lr") == 0.5);
}

TEST_CASE("the state is the Optimizer's, stands in the tree, and goes on after a load") {
  const Rule rule = parse_rule("sgd(lr=plateau(by=0.5, patience=1))");
  Tensor v(Array::zeros({1}), true);
  OneWeight first("sgd(lr=plateau(by=0.5, patience=1))"), second("sgd(lr=plateau(by=0.5, patience=1))");
  first.after({4, 4, 4, 4});
  CHECK(first.optimizer.peek("lr") == 0.5);
  CHECK(second.optimizer.peek("lr") == 1);
  const NamedArrays tree = cloned(first.optimizer.state_tree());
  CHECK(entry(tree, "groups/0/lr/plateau").to_vector<double>() == std::vector<double>{4, 4, 1, 0, 1});
  second.optimizer.load_state_tree(tree);
  CHECK(second.after({4, 4, 4}) == first.after({4, 4, 4}));

  first.optimizer.set("lr", schedule::plateau({.by = 0.1, .patience = 0}));
  CHECK(first.optimizer.peek("lr") == 1);
  CHECK(first.after({1, 1}) == std::vector<double>{1, 0.1});
  first.optimizer.set("lr", 0.3);
  CHECK(first.optimizer.state_tree().size() == tree.size() - 1);
  CHECK(rule.describe() == "sgd(lr=plateau(by=0.5, patience=1))");
}

TEST_CASE("a metric that is not finite is one bad report and never the best") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  OneWeight a("sgd(lr=plateau(by=0.1, patience=2))");
  CHECK(a.after({nan, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3}) == std::vector<double>(9, 1));
  CHECK(a.after({nan, nan, -inf}).back() == 0.1);
  for (const double x : entry(a.optimizer.state_tree(), "groups/0/lr/plateau").to_vector<double>()) {
    CHECK(std::isfinite(x));
  }
  CHECK(OneWeight("sgd(lr=plateau(by=0.5, patience=0, maximize=1))").after({nan, inf, 2, 3, 3}) ==
        std::vector<double>{0.5, 0.25, 0.25, 0.25, 0.125});
}

TEST_CASE("larger may be better; negative metrics too") {
  OneWeight a("sgd(lr=plateau(by=0.5, patience=0))");
  std::vector<double> lrs;
  for (const double elbo : {-5.0, -4.0, -4.0, -3.0, -6.0}) {
    a.optimizer.report(elbo, true);
    lrs.push_back(a.optimizer.peek("lr"));
  }
  CHECK(lrs == std::vector<double>{1, 1, 0.5, 0.5, 0.25});
  CHECK(OneWeight("sgd(lr=plateau(by=0.5, patience=0))").after({-1, -1, -2}) == std::vector<double>{1, 0.5, 0.5});
}

TEST_CASE("a report without a plateau changes nothing") {
  OneWeight a("sgd(lr=1)");
  a.optimizer.report(3);
  CHECK(a.optimizer.state_tree().size() == 2);
}
