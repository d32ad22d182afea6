// NaN goes in, NaN comes out: in every precision, forward and backward, so that the first one is seen where it arises.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <tandem/core/kernels/attention/attention.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/normalise/batch_norm.h>
#include <tandem/core/kernels/normalise/softmax.h>
#include <tandem/core/kernels/pool/pool2d.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr DType kFloats[] = {DType::f32, DType::f64, DType::bf16};

bool all_nan(const Array& x) {
  for (const double v : x.to_vector<double>())
    if (!std::isnan(v)) return false;
  return true;
}

}  // namespace

TEST_CASE("functions of NaN are NaN") {
  for (const DType dtype : kFloats) {
    const Array x = Array::full({9}, kNaN, dtype), one = Array::full({9}, 1, dtype);
    CAPTURE(name(dtype));
    for (const Array& y : {k::relu(x),
                           k::leaky_relu(x, 0.1),
                           k::elu(x, 1),
                           k::gelu(x),
                           k::silu(x),
                           k::softplus(x),
                           k::sigmoid(x),
                           k::tanh(x),
                           k::exp(x),
                           k::log(x),
                           k::erf(x),
                           k::sqrt(x),
                           k::sin(x),
                           k::clamp(x, -1, 1),
                           k::maximum(x, one),
                           k::maximum(one, x),
                           k::minimum(x, one),
                           k::minimum(one, x),
                           k::sign(x),
                           k::absolute(x),
                           k::power(x, 2.5),
                           k::elu_grad(one, x, 1),
                           k::gelu_grad(one, x),
                           k::silu_grad(one, x),
                           k::sigmoid_grad(one, x),
                           k::tanh_grad(one, x),
                           k::relu_grad(x, one),
                           k::leaky_relu_grad(x, one, 0.1)})
      CHECK(all_nan(y));
  }
}

TEST_CASE("the gradient of relu passes below a NaN") {
  for (const DType dtype : kFloats) {
    const Array dy = Array::from({2, 3, 4, 5}, {4}, dtype), y = Array::from({kNaN, 1, 0, -1}, {4}, dtype);
    CHECK(k::relu_grad(dy, y).to_vector<double>() == std::vector<double>{2, 3, 0, 0});
  }
}

TEST_CASE("the relu of batch norm passes gradients below a NaN") {
  Generator g(1);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const std::int64_t channels : {3, 8, 17, 32}) {
      const Array x = random_array(g, {4, channels}).to(dtype), dy = Array::full({4, channels}, 1, dtype);
      const Array w = Array::full({channels}, 1, dtype), b = Array::zeros({channels}, dtype);
      const auto f = k::batch_norm_train(x, w, b, 1e-5, true);
      Array y = Array::full({4, channels}, kNaN, dtype);
      const auto passed = k::batch_norm_train_grad(dy, x, w, f.mean, f.inverse_deviation, y, true);
      CHECK(passed.db.to_vector<double>() == std::vector<double>(static_cast<std::size_t>(channels), 4));
      CHECK(identical(passed.dadd, dy));
      y.fill(0);
      const auto stopped = k::batch_norm_train_grad(dy, x, w, f.mean, f.inverse_deviation, y, true);
      CHECK(stopped.db.to_vector<double>() == std::vector<double>(static_cast<std::size_t>(channels), 0));
      CHECK(all_nan(k::batch_norm_train(Array::full({4, channels}, kNaN, dtype), w, b, 1e-5, true).y));
    }
}

TEST_CASE("softmax, sums and maxima with a NaN are NaN, wherever it stands") {
  for (const DType dtype : kFloats)
    for (const std::int64_t n : {3, 40})
      for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
        Array x = Array::zeros({1, n}, dtype);
        x.set({0, at}, kNaN);
        CHECK(all_nan(k::softmax(x, 1)));
        CHECK(all_nan(k::log_softmax(x, 1)));
        CHECK(all_nan(k::sum(x)));
        CHECK(all_nan(k::max(x)));
        CHECK(all_nan(k::min(x)));
        CHECK(k::argmax(x, 1).item() == static_cast<double>(at));
        CHECK(all_nan(k::max_pool2d(x.reshape({1, 1, 1, n}), {.kernel = {1, n}}).first));
        CHECK(all_nan(k::average_pool2d(x.reshape({1, 1, 1, n}), {.kernel = {1, n}})));
      }
}

TEST_CASE("attention of NaN scores is NaN; only what is hidden altogether is 0") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Array q = Array::full({1, 1, 2, 3}, kNaN, dtype), v = Array::full({1, 1, 2, 3}, 1, dtype);
    CHECK(all_nan(k::attention(q, v, v, {}).y));
    CHECK(all_nan(k::attention(v, q, v, {}).y));
    const Array all = Array::full({1, 2}, 1, DType::f32);
    CHECK(k::attention(v, v, v, {.hidden_keys = all}).y.to_vector<double>() == std::vector<double>(6, 0));
  }
}
