// Levels that change what the inner rule did, by hand: cautious, clip_update, project_box, project_norm.
#include <cmath>

#include "support.h"

using namespace support;

namespace {

Tensor zeros(const Shape& shape) { return Tensor(Array::zeros(shape, DType::f64), true); }

void step(Optimizer& optimizer, Tensor w, const std::vector<double>& gradient) {
  optimizer.zero_grad();
  w.accumulate_grad(Array::from(gradient, w.shape()));
  optimizer.step();
}

void near(const Tensor& w, const std::vector<double>& expected) {
  const std::vector<double> x = w.value().to_vector<double>();
  REQUIRE(x.size() == expected.size());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == doctest::Approx(expected[i]).epsilon(1e-14));
}

}  // namespace

TEST_CASE("cautious keeps what goes down the gradient, larger for what it leaves out") {
  Tensor w = zeros({4});
  Optimizer optimizer({{"w", w}}, cautious(momentum({.lr = 1, .momentum = 0.5})));
  step(optimizer, w, {4, 4, 4, 4});
  near(w, {-4, -4, -4, -4});
  step(optimizer, w, {2, 2, 2, -1});  // v = 4, 4, 4, 1: the last would go up its gradient
  const double third = -4 - 4 * 4.0 / 3;
  near(w, {third, third, third, -4});
  step(optimizer, w, {-1, -1, -1, -1});  // v = 1, 1, 1, -0.5
  near(w, {third, third, third, -4 + 4 * 0.5});
}

TEST_CASE("clip_update holds the RMS of each parameter's update") {
  Tensor v = zeros({2}), w = zeros({2});
  Optimizer optimizer({{"v", v}, {"w", w}}, clip_update(sgd({.lr = 1}), 1));
  v.accumulate_grad(Array::from({3, 4}, {2}, DType::f64));
  w.accumulate_grad(Array::from({0.3, -1.3}, {2}, DType::f64));
  optimizer.step();
  const double factor = 1 / std::sqrt(12.5);
  near(v, {-3 * factor, -4 * factor});
  CHECK(w.value().to_vector<double>() == std::vector<double>{-0.3, 1.3});  // its RMS is 0.94
}

TEST_CASE("projections") {
  Tensor w = zeros({2});
  Optimizer box({{"w", w}}, project_box(sgd({.lr = 1}), 1));
  step(box, w, {-3, 0.25});
  CHECK(w.value().to_vector<double>() == std::vector<double>{1, -0.25});

  Tensor matrix = zeros({2, 2}), vector = zeros({2});
  Optimizer norm({{"matrix", matrix}, {"vector", vector}}, project_norm(sgd({.lr = 1}), 1));
  matrix.accumulate_grad(Array::from({-3, -4, -0.25, -0.5}, {2, 2}, DType::f64));
  vector.accumulate_grad(Array::from({-3, -4}, {2}, DType::f64));
  norm.step();
  near(matrix, {0.6, 0.8, 0.25, 0.5});
  near(vector, {3, 4});
}

TEST_CASE("a lookahead round a projection has its cycles, and slow weights stay in the set") {
  Tensor w = zeros({1});
  Optimizer optimizer({{"w", w}}, lookahead(project_box(sgd({.lr = 1}), 1), {.k = 2, .alpha = 0.5}));
  std::vector<double> path;
  for (int t = 0; t < 4; ++t) {
    step(optimizer, w, {-3});
    path.push_back(w.item());
  }
  CHECK(path == std::vector<double>{1, 0.5, 1, 0.75});
  const EvaluationWeights slow = optimizer.evaluation_weights();
  CHECK(w.item() == 0.75);
}

TEST_CASE("a change outside a loop shows the loop's slow weights, not the fast ones") {
  Tensor w = zeros({1});
  Optimizer optimizer({{"w", w}}, project_box(lookahead(sgd({.lr = 1}), {.k = 1, .alpha = 0.5}), 1));
  step(optimizer, w, {-6});
  CHECK(w.item() == 1);
  const EvaluationWeights slow = optimizer.evaluation_weights();
  CHECK(w.item() == 3);
}

TEST_CASE("update rules refuse a limit of zero") {
  CHECK(message([] { clip_update(sgd(), 0); }) == "clip_update: max is 0, must be above 0");
  CHECK(message([] { project_box(sgd(), 0); }) == "project_box: max is 0, must be above 0");
  CHECK(message([] { project_norm(sgd(), -1); }) == "project_norm: max is -1, must be above 0");
}
