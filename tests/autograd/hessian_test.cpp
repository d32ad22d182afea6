// Hessian-vector products against closed forms, and what is an error.
#include <tandem/autograd/hessian.h>

#include "ops_helpers.h"

#include <cmath>

#include <tandem/autograd/record.h>

using namespace tandem;
using namespace tandem::test;

namespace {

Array doubles(std::initializer_list<double> values, const Shape& shape) {
  return Array::from(values, shape, DType::f64);
}

}  // namespace

TEST_CASE("a quadratic form has its own matrix as Hessian") {
  // f = x' A x / 2 + b' x with A symmetric
  const Tensor a(doubles({2, -1, 0.5, -1, 3, 1, 0.5, 1, 4}, {3, 3})), b(doubles({1, 2, 3}, {3, 1}));
  const Tensor x(doubles({0.3, -0.2, 0.7}, {3, 1}), true);
  const Tensor loss = sum(x * matmul(a, x)) * 0.5 + sum(b * x);
  const Hessian hessian(loss, {x});
  check_values(hessian.times({doubles({1, 0, 0}, {3, 1})})[0], {2, -1, 0.5});
  check_values(hessian.times({doubles({1, -2, 3}, {3, 1})})[0], {5.5, -4, 10.5});
  check_values(hessian.gradients()[0], {0.6 + 0.2 + 0.35 + 1, -0.3 - 0.6 + 0.7 + 2, 0.15 - 0.2 + 2.8 + 3});
  CHECK_FALSE(x.has_grad());
}

TEST_CASE("Rosenbrock's Hessian, and products between two parameters") {
  // f = (1 - x)^2 + 100 (y - x^2)^2: H = [1200 x^2 - 400 y + 2, -400 x; -400 x, 200]
  const Tensor x(doubles({1.5}, {1}), true), y(doubles({-0.5}, {1}), true);
  const auto loss = [&] { return sum(square(1 - x) + 100 * square(y - square(x))); };
  const std::vector<Array> hv = hessian_vector_product(loss, {x, y}, {doubles({2}, {1}), doubles({3}, {1})});
  check_values(hv[0], {(1200 * 2.25 + 200 + 2) * 2 - 600.0 * 3});
  check_values(hv[1], {-600.0 * 2 + 200 * 3});
}

TEST_CASE("logistic regression: H v = X' D X v / n, D = p (1 - p)") {
  const std::vector<std::vector<double>> rows{{1, 2}, {-1, 0.5}, {0.25, -2}, {3, 1}};
  const Tensor data(doubles({1, 2, -1, 0.5, 0.25, -2, 3, 1}, {4, 2})), labels_01(doubles({1, 0, 0, 1}, {4, 1}));
  const Tensor w(doubles({0.4, -0.3}, {2, 1}), true);
  const Tensor loss = binary_cross_entropy_with_logits(matmul(data, w), labels_01);
  const std::vector<double> v{0.7, -1.1};
  std::vector<double> expected{0, 0};
  for (const auto& row : rows) {
    const double p = 1 / (1 + std::exp(-(0.4 * row[0] - 0.3 * row[1])));
    const double along = p * (1 - p) * (row[0] * v[0] + row[1] * v[1]) / 4;
    expected[0] += along * row[0];
    expected[1] += along * row[1];
  }
  check_values(hessian_vector_product(loss, {w}, {doubles({0.7, -1.1}, {2, 1})})[0], expected, 1e-12);
}

TEST_CASE("what does not bend gives zeros: a linear loss, an unused parameter, a gradient that is constant in one") {
  const Tensor x(doubles({1, 2}, {2}), true), y(doubles({3}, {1}), true), z(doubles({4}, {1}), true);
  const std::vector<Array> linear =
      hessian_vector_product(sum(x * 2.0), {x, y}, {doubles({1, 1}, {2}), doubles({1}, {1})});
  check_values(linear[0], {0, 0});
  check_values(linear[1], {0});
  const std::vector<Array> mixed = hessian_vector_product(
      sum(square(x)) + sum(y), {x, y, z}, {doubles({1, -1}, {2}), doubles({1}, {1}), doubles({1}, {1})});
  check_values(mixed[0], {2, -2});
  check_values(mixed[1], {0});
  check_values(mixed[2], {0});
}

TEST_CASE("f32 works, results are dense, and the graph goes with the Hessian") {
  Tensor w = leaf({1, 2, 3, 4}, {2, 2});
  const auto before = graph_stats();
  {
    const Tensor loss = sum(square(square(transpose(w, 0, 1))));  // w^4: H = diag(12 w^2)
    const std::vector<Array> hv = hessian_vector_product(loss, {w}, {Array::full({2, 2}, 1)});
    check_values(hv[0], {12, 48, 108, 192});
    CHECK(hv[0].is_contiguous());
    CHECK(hv[0].storage().use_count() == 1);
  }
  CHECK(graph_stats().nodes == before.nodes);
}

TEST_CASE("misuse of Hessians is named") {
  Tensor w = leaf({1, 2}, {2});
  const Tensor loss = sum(square(w));
  const Array v = Array::full({2}, 1);
  CHECK(message_of([&] { hessian_vector_product(Tensor(), {w}, {v}); }) == "hessian: the loss is not defined");
  CHECK(message_of([&] { hessian_vector_product(loss, {}, {}); }) == "hessian: there are no parameters");
  CHECK(message_of([&] { hessian_vector_product(loss, {w}, {}); }) ==
        "hessian: one vector per parameter is needed: 0 vectors, 1 parameters");
  CHECK(message_of([&] { hessian_vector_product(loss, {w}, {Array()}); }) == "hessian: vector 0 is not defined");
  CHECK(message_of([&] { hessian_vector_product(loss, {w}, {Array::full({3}, 1)}); }) ==
        "hessian: a vector does not fit its parameter: vector 0 is [3] f32, the parameter [2] f32");
  CHECK(message_of([&] { hessian_vector_product(loss, {Tensor({1}, {1})}, {v}); }) ==
        "grad: an input does not require a gradient: input 0");
  const Hessian hessian(sum(square(square(w))), {w});
  w.mutable_value().fill(5);
  CHECK(message_of([&] { hessian.times({v}); }).find("a saved value was changed in place after forward") !=
        std::string::npos);
}
