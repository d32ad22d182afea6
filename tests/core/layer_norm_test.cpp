// Layer normalisation: hand values, errors, and fused rows against the naive twin.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/kernels/normalise/layer_norm.h>

using namespace tandem;

namespace {

Array normal(const Shape& shape, std::uint64_t seed, double mean = 0) {
  Array x = Array::empty(shape);
  Generator(seed).fill_normal(x, mean, 1);
  return x;
}

double difference(const Array& a, const Array& b) {
  REQUIRE(a.shape() == b.shape());
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    worst = std::max(worst, std::abs(x[i] - y[i]) / std::max(1.0, std::abs(y[i])));
  return worst;
}

Array f64(const Array& x) { return x.defined() ? x.to(DType::f64) : x; }

}  // namespace

TEST_CASE("layer_norm: rows on paper") {
  // mean 2, variance 1: xhat -1, 1
  const auto r = kernels::layer_norm(Array::from({1, 3, 10, 10}, {2, 2}), Array::from({2, 3}, {2}),
                                     Array::from({0, 1}, {2}), 1, 1e-12);
  CHECK(r.y.to_vector<double>()[0] == doctest::Approx(-2));
  CHECK(r.y.to_vector<double>()[1] == doctest::Approx(4));
  CHECK(r.y.to_vector<double>()[2] == 0);
  CHECK(r.y.to_vector<double>()[3] == 1);
  CHECK(r.mean.to_vector<double>() == std::vector<double>{2, 10});
}

TEST_CASE("layer_norm: fused rows equal the naive twin") {
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 7}, Shape{70, 33}, Shape{2, 40, 256}, Shape{5, 1030}}) {
    CAPTURE(shape.to_string());
    const std::int64_t n = shape[-1];
    const Array x = normal(shape, 1, 5), w = normal({n}, 2), b = normal({n}, 3), dy = normal(shape, 4);
    for (const bool affine : {true, false}) {
      const Array weight = affine ? w : Array(), bias = affine ? b : Array();
      const auto fast = kernels::layer_norm(x, weight, bias, 1, 1e-3);
      const auto naive = kernels::layer_norm(f64(x), f64(weight), f64(bias), 1, 1e-3);
      CHECK(difference(fast.y, naive.y) < 2e-5);
      const auto g = kernels::layer_norm_grad(dy, x, weight, fast.mean, fast.inverse_deviation, 1);
      const auto twin = kernels::layer_norm_grad(f64(dy), f64(x), f64(weight), naive.mean, naive.inverse_deviation, 1);
      CHECK(difference(g.dx, twin.dx) < 5e-5);
      CHECK(difference(g.dw, twin.dw) < 2e-5);
      CHECK(difference(g.db, twin.db) < 2e-5);
    }
  }
}

TEST_CASE("layer_norm refuses what does not fit") {
  const auto message = [](const Array& w, int dims) -> std::string {
    try {
      kernels::layer_norm(Array::zeros({2, 3}), w, {}, dims, 1e-5);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  CHECK(message(Array::zeros({2}), 1) == "layer_norm: w must be [3], the last dims of x: w [2], x [2, 3]");
  CHECK(message({}, 3) == "layer_norm: dims is 3, must be from 1 to the rank of x: x [2, 3]");
}

TEST_CASE("layer_norm of bf16 keeps its statistics in f32 and gives gradients of the parameters' dtype") {
  const Array x = Array::from({100, 100, 100, 101}, {1, 4}, DType::bf16), dy = Array::full({1, 4}, 1, DType::bf16);
  for (const DType dtype : {DType::bf16, DType::f32}) {
    const Array w = Array::full({4}, 1, dtype), b = Array::zeros({4}, dtype);
    const auto f = kernels::layer_norm(x, w, b, 1, 1e-5);
    CHECK(f.y.dtype() == DType::bf16);
    CHECK(f.mean.item() == 100.25);
    const auto d = kernels::layer_norm_grad(dy, x, w, f.mean, f.inverse_deviation, 1);
    CHECK(d.dx.dtype() == DType::bf16);
    CHECK(d.dw.dtype() == dtype);
    CHECK(d.db.to_vector<double>() == std::vector<double>{1, 1, 1, 1});
  }
  CHECK_THROWS_WITH_AS(kernels::layer_norm_grad(Array::zeros({4}), Array::zeros({1, 4}), {}, {}, {}, 1),
                       "layer_norm_grad: dy is [4], must be [1, 4]", Error);
}
