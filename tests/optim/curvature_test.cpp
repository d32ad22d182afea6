// Eigenvalue and trace against closed forms, and against PyTorch's Hessian of a small network
// (golden/make_curvature_golden.py).
#include <tandem/optim/study/curvature.h>

#include "golden/golden_file.h"
#include "support.h"

#include <algorithm>
#include <cmath>

using namespace support;

namespace {

/// diag(values) as a product, of one array.
SymmetricProduct diagonal(const std::vector<double>& values) {
  return [values](const std::vector<Array>& v) {
    std::vector<double> y = v[0].to_vector<double>();
    for (std::size_t i = 0; i < y.size(); ++i) y[i] *= values[i];
    return std::vector<Array>{Array::from(y, v[0].shape()).to(v[0].dtype())};
  };
}

/// sin(1.7 (first + i)), which the script has too.
Tensor numbers(std::int64_t first, const Shape& shape, bool requires_grad = true) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.count(); ++i) values.push_back(std::sin(1.7 * static_cast<double>(first + i)));
  return Tensor(Array::from(values, shape), requires_grad);
}

}  // namespace

TEST_CASE("the largest eigenvalue, not the largest in size") {
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Array like = Array::zeros({6}, dtype);
    const Eigenvalue e = largest_eigenvalue(diagonal({-9, 1, 2, 3, 5, 0}), {like}, {.tolerance = 1e-6});
    CHECK(e.value == doctest::Approx(5).epsilon(1e-5));
    CHECK(e.converged);
    CHECK(e.products <= 6);
  }
  const Eigenvalue negative = largest_eigenvalue(diagonal({-9, -1}), {Array::zeros({2}, DType::f64)});
  CHECK(negative.value == doctest::Approx(-1));
}

TEST_CASE("an eigenvalue is no further than the residual, and the limit ends it") {
  std::vector<double> values;
  for (int i = 0; i < 60; ++i) values.push_back(0.01 * i * i - 5);
  const Array like = Array::zeros({6, 10}, DType::f64);
  double before = -5;
  for (const int limit : {1, 2, 4, 8, 16}) {
    CAPTURE(limit);
    const Eigenvalue e = largest_eigenvalue(diagonal(values), {like}, {.iterations = limit, .tolerance = 0});
    CHECK(e.products == limit);
    CHECK_FALSE(e.converged);
    CHECK(e.value <= values.back());
    CHECK(e.value >= before);
    double nearest = 100;
    for (const double value : values) nearest = std::min(nearest, std::fabs(value - e.value));
    CHECK(nearest <= e.residual);
    before = e.value;
  }
  const Eigenvalue fine = largest_eigenvalue(diagonal(values), {like}, {.iterations = 60, .tolerance = 1e-8});
  CHECK(fine.converged);
  CHECK(fine.value == doctest::Approx(values.back()).epsilon(1e-10));
}

TEST_CASE("the largest eigenvalues with their vectors") {
  for (const DType dtype : {DType::f64, DType::f32}) {
    const double exact = dtype == DType::f64 ? 1e-9 : 1e-4;
    const Array like = Array::zeros({2, 3}, dtype);
    const std::vector<Eigenpair> pairs =
        largest_eigenpairs(diagonal({-9, 1, 2, 3, 5, 0}), {like}, 2, {.tolerance = 1e-7});
    REQUIRE(pairs.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(pairs[i].value == doctest::Approx(i == 0 ? 5 : 3).epsilon(exact));
      const std::vector<double> y = pairs[i].vector[0].to(DType::f64).to_vector<double>();
      for (std::size_t j = 0; j < y.size(); ++j)
        CHECK(std::fabs(std::fabs(y[j]) - (j == (i == 0 ? 4 : 3) ? 1 : 0)) < 30 * exact);
    }
  }
  // A multiple of the identity shows one vector only; a limit ends it before the values are known.
  const Array like = Array::zeros({60}, DType::f64);
  CHECK(largest_eigenpairs(diagonal(std::vector<double>(60, 4.0)), {like}, 3).size() == 1);
  std::vector<double> values;
  for (int i = 0; i < 60; ++i) values.push_back(0.01 * i * i);
  const auto early = largest_eigenpairs(diagonal(values), {like}, 2, {.iterations = 5, .tolerance = 0});
  REQUIRE(early.size() == 2);
  CHECK(early[0].residual > 0.1);
  CHECK(message([&] { largest_eigenpairs(diagonal(values), {like}, 0); }) ==
        "curvature: 0 eigenvalues, must be at least 1");
  CHECK(message([&] {
          largest_eigenpairs(diagonal({1, NAN}), {Array::zeros({2})}, 1);
        }) == "curvature: a product is not finite: product 1");
}

TEST_CASE("matrices of zeros, of one element and multiples of one end at once") {
  const Array like = Array::zeros({5}, DType::f32);
  const Eigenvalue zero = largest_eigenvalue(diagonal({0, 0, 0, 0, 0}), {like});
  CHECK(zero.value == 0);
  CHECK(zero.converged);
  const Eigenvalue same = largest_eigenvalue(diagonal({4, 4, 4, 4, 4}), {like});
  CHECK(same.value == doctest::Approx(4));
  CHECK(same.products == 1);
  CHECK(largest_eigenvalue(diagonal({-3}), {Array::zeros({1})}).value == doctest::Approx(-3));
  const Eigenvalue bad = largest_eigenvalue(diagonal({1, NAN, 1, 1, 1}), {like});
  CHECK(std::isnan(bad.value));
  CHECK_FALSE(bad.converged);
}

TEST_CASE("the trace of a diagonal matrix is exact with one probe, its diagonal too") {
  const Array like = Array::zeros({3}, DType::f64);
  const TraceEstimate one = estimate_trace(diagonal({1, -2, 5}), {like}, {.samples = 1});
  CHECK(one.value == doctest::Approx(4));
  CHECK(std::isnan(one.standard_error));
  CHECK(one.diagonal[0].at({1}) == -2);
  const TraceEstimate four = estimate_trace(diagonal({1, -2, 5}), {like}, {.samples = 4});
  CHECK(four.value == doctest::Approx(4));
  CHECK(four.standard_error == doctest::Approx(0));
}

TEST_CASE("the standard error is that of Hutchinson's estimator") {
  // [[1, 2], [2, 3]]: z'Hz = 4 + 4 z1 z2, so each sample is 0 or 8: variance 16.
  const SymmetricProduct product = [](const std::vector<Array>& v) {
    const double a = v[0].item(), b = v[1].item();
    return std::vector<Array>{Array::from({a + 2 * b}, {1}, DType::f64), Array::from({2 * a + 3 * b}, {1}, DType::f64)};
  };
  const std::vector<Array> like = {Array::zeros({1}, DType::f64), Array::zeros({1}, DType::f64)};
  const TraceEstimate e = estimate_trace(product, like, {.samples = 1000, .seed = 3});
  CHECK(e.standard_error == doctest::Approx(4 / std::sqrt(1000.0)).epsilon(0.05));
  CHECK(std::fabs(e.value - 4) < 4 * e.standard_error);
  CHECK(e.blocks[0] + e.blocks[1] == doctest::Approx(e.value));
  const TraceEstimate again = estimate_trace(product, like, {.samples = 1000, .seed = 3});
  CHECK(again.value == e.value);
  CHECK(estimate_trace(product, like, {.samples = 1000, .seed = 4}).value != e.value);
}

TEST_CASE("options out of range are errors") {
  const std::vector<Array> like = {Array::zeros({2})};
  CHECK(message([&] {
          largest_eigenvalue(diagonal({1, 1}), like, {.iterations = 0});
        }) == "curvature: 0 products, must be at least 1");
  CHECK(message([&] {
          largest_eigenvalue(diagonal({1, 1}), like, {.tolerance = -1});
        }) == "curvature: tolerance is -1, must be at least 0");
  CHECK(message([&] {
          estimate_trace(diagonal({1, 1}), like, {.samples = 0});
        }) == "curvature: 0 products, must be at least 1");
  CHECK(message([&] { estimate_trace(diagonal({1, 1}), {}); }) == "curvature: there are no parameters");
}

TEST_CASE("the Hessian of a small network is PyTorch's: products, largest eigenvalue, trace") {
  const Safetensors golden = golden::load("curvature.safetensors");
  const std::vector<Tensor> w = {numbers(0, {4, 3}), numbers(100, {4}), numbers(200, {3, 4}), numbers(300, {3})};
  const std::vector<Array> v = {numbers(500, {4, 3}).value(), numbers(600, {4}).value(), numbers(700, {3, 4}).value(),
                                numbers(800, {3}).value()};
  const Tensor x = numbers(1000, {6, 3}, false);
  const Array labels = Array::from(std::vector<std::int64_t>{0, 2, 1, 1, 0, 2}, {6});
  const Tensor loss = cross_entropy(linear(tanh(linear(x, w[0], w[1])), w[2], w[3]), labels);
  const Hessian hessian(loss, w);
  const std::vector<Array> products = hessian.times(v);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(golden::relative_error(products[i], golden::at(golden, "product." + std::to_string(i))) < 1e-10);
  }
  const SymmetricProduct product = [&](const std::vector<Array>& u) { return hessian.times(u); };
  const Eigenvalue e = largest_eigenvalue(product, v, {.iterations = 31, .tolerance = 1e-9});
  CHECK(e.converged);
  CHECK(e.value == doctest::Approx(golden::at(golden, "largest").item()).epsilon(1e-9));
  const SymmetricProduct negative = [&](const std::vector<Array>& u) {
    std::vector<Array> y = hessian.times(u);
    for (Array& one : y) one = (Tensor(one) * -1.0).value();
    return y;
  };
  CHECK(-largest_eigenvalue(negative, v, {.iterations = 31, .tolerance = 1e-9}).value ==
        doctest::Approx(golden::at(golden, "smallest").item()).epsilon(1e-6));
  const TraceEstimate trace = estimate_trace(product, v, {.samples = 4000});
  const double truth = golden::at(golden, "trace").item();
  CHECK(trace.standard_error < 0.02 * truth);
  CHECK(std::fabs(trace.value - truth) < 3 * trace.standard_error);
}
