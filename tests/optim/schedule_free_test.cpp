// schedule_free by hand; what it shows; a loop round it; weights that somebody loads. Trajectories of the authors' SGD
// and AdamW: golden_test.cpp.
#include "support.h"

using namespace support;

namespace {

struct One {
  Tensor w{Array::zeros({1}, DType::f64), true};
  Optimizer optimizer;

  explicit One(const char* rule) : optimizer({{"w", w}}, parse_rule(rule)) {}
  /// The weight and what is evaluated after a step with the gradient 1.
  std::pair<double, double> step() {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, 1, DType::f64));
    optimizer.step();
    const double y = w.item();
    const EvaluationWeights average = optimizer.evaluation_weights();
    return {y, w.item()};
  }
};

void near(const std::pair<double, double>& found, double y, double x) {
  CHECK(found.first == doctest::Approx(y).epsilon(1e-14));
  CHECK(found.second == doctest::Approx(x).epsilon(1e-14));
}

}  // namespace

TEST_CASE("schedule_free by hand") {
  One plain("schedule_free(sgd(lr=1), beta=0.5)");  // z = -1, -2, -3; x their mean
  near(plain.step(), -1, -1);
  near(plain.step(), -1.75, -1.5);
  near(plain.step(), -2.5, -2);

  One warm("schedule_free(sgd(lr=1), beta=0.5, warmup=2)");  // weights 1/4, 1, 1: c = 1, 4/5, 4/9
  near(warm.step(), -1, -1);
  near(warm.step(), -1.9, -1.8);
  const double x = -1.8 + 4.0 / 9 * -1.2;
  near(warm.step(), (x - 3) / 2, x);
}

TEST_CASE("another warm-up from a step on leaves the weights of the steps before it") {
  One one("schedule_free(sgd(lr=1), beta=0.5, warmup=2)");
  one.step(), one.step();  // weights 1/4, 1; x = -1.8, z = -2
  one.optimizer.set("warmup", 0);
  const double x = -1.8 + 1 / 2.25 * -1.2;
  near(one.step(), (x - 3) / 2, x);
  CHECK(entry(one.optimizer.state_tree(), "groups/0/weight_sum").item() == 2.25);
}

TEST_CASE("a pull moves all three sequences") {
  One nested("lookahead(schedule_free(sgd(lr=1), beta=0.5), k=2, alpha=0.5)");
  nested.step();
  near(nested.step(), -0.875, -0.875);  // y = -1.75, z = -2, x = -1.5 before the pull; all move by 0.875
  near(nested.step(), -1.625, -0.875);  // z = -2.125, x = -0.625 + (-1.5) / 3
}

TEST_CASE("loaded weights begin a new average") {
  One loaded("schedule_free(sgd(lr=1), beta=0.5)");
  loaded.step(), loaded.step();
  loaded.w.mutable_value().copy_from(Array::full({1}, 10, DType::f64));
  near(loaded.step(), 9, 9);
  near(loaded.step(), 8.25, 8.5);
}
