// Products and convolutions of f16: sums in f32, rounded once. Numbers of which f32 holds every sum exactly give the
// bits of the f64 twin rounded to f16; others stay within half a unit of f16's last place and the error of f32 sums.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/convolution/conv_transpose2d.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

/// Whole numbers of [-24, 24]: sums of up to 2^14 products of two are exact in f32, and above 2048 not in f16.
Array whole(Generator& g, const Shape& shape) {
  Array x = Array::empty(shape, DType::f64);
  for (std::int64_t i = 0; i < x.size(); ++i) x.data<double>()[i] = static_cast<double>(g.below(49)) - 24;
  return x.to(DType::f16);
}

Array wide(const Array& x) { return x.defined() ? x.to(DType::f64) : x; }

/// Equal numbers (0 and -0 are), some of which f16 had to round.
void check_rounded(const Array& y, const Array& truth, bool must_round = true) {
  CHECK(y.dtype() == DType::f16);
  CHECK(y.shape() == truth.shape());
  CHECK(y.to_vector<double>() == truth.to(DType::f16).to_vector<double>());
  if (must_round) CHECK_FALSE(identical(y.to(DType::f64), truth));
}

}  // namespace

TEST_CASE("matmul: f16 gives the rounded f64 product, of matrices, views and batches") {
  Generator g(1);
  const Array a = whole(g, {33, 300}), b = whole(g, {300, 17}), batch = whole(g, {3, 5, 300});
  check_rounded(k::matmul(a, b), k::matmul(wide(a), wide(b)));
  check_rounded(k::matmul(b.transpose(0, 1), a.transpose(0, 1)),
                k::matmul(wide(b).transpose(0, 1), wide(a).transpose(0, 1)));
  check_rounded(k::matmul(batch, b), k::matmul(wide(batch), wide(b)));
  check_rounded(k::matmul(batch, batch.transpose(1, 2)), k::matmul(wide(batch), wide(batch).transpose(1, 2)));
  CHECK(k::matmul(whole(g, {2, 0}), whole(g, {0, 3})).dtype() == DType::f16);
  CHECK(k::matmul(whole(g, {0, 2}), whole(g, {2, 3})).shape() == Shape{0, 3});
}

TEST_CASE("linear: f16 with bias and leaky ReLU is rounded once, at the end") {
  Generator g(2);
  const Array x = whole(g, {4, 9, 300}), w = whole(g, {21, 300}), b = whole(g, {21});
  for (const Array& bias : {b, Array()})
    for (const double slope : {1.0, 0.0, 0.25}) {
      check_rounded(k::linear(x, w, bias, slope), k::linear(wide(x), wide(w), wide(bias), slope));
    }
}

TEST_CASE("conv2d: f16 forward and gradients are the rounded f64 ones") {
  Generator g(3);
  struct Problem {
    Shape x, w;
    Conv2dOptions options;
  };
  for (const Problem& p : {Problem{{2, 64, 9, 7}, {12, 64, 3, 3}, {.stride = 2, .padding = 1}},
                           Problem{{2, 64, 6, 6}, {32, 32, 3, 3}, {.dilation = 2, .groups = 2}},
                           Problem{{1, 2, 3, 3}, {2, 2, 2, 2}, {}}}) {
    const bool is_large = p.x[1] > 2;
    CAPTURE(p.x.to_string());
    const Array x = whole(g, p.x).to_layout(Layout::channels_last), w = whole(g, p.w), b = whole(g, {p.w[0]});
    const Array y = k::conv2d(x, w, b, p.options, 0.25);
    check_rounded(y, k::conv2d(wide(x), wide(w), wide(b), p.options, 0.25), is_large);
    CHECK(y.is_channels_last());
    const Array dy = whole(g, y.shape());
    check_rounded(k::conv2d_input_grad(dy, w, p.x, p.options), k::conv2d_input_grad(wide(dy), wide(w), p.x, p.options),
                  is_large);
    Array db, true_db;
    const Array truth = k::conv2d_weight_grad(wide(dy), wide(x), p.w, p.options, &true_db);
    check_rounded(k::conv2d_weight_grad(dy, x, p.w, p.options, &db), truth, false);
    check_rounded(db, true_db, false);
    const Array kept = k::conv2d_weight_grad(dy, x, p.w, p.options, DType::f32);
    CHECK(identical(kept, truth.to(DType::f32)));
  }
}

TEST_CASE("conv_transpose2d: f16 with bias and leaky ReLU is rounded once") {
  Generator g(4);
  const ConvTranspose2dOptions options{.stride = 2, .padding = 1, .output_padding = 1};
  const Array x = whole(g, {2, 64, 5, 4}), w = whole(g, {64, 6, 3, 3}), b = whole(g, {6});
  check_rounded(k::conv_transpose2d(x, w, b, options, 0.25),
                k::conv_transpose2d(wide(x), wide(w), wide(b), options, 0.25));
}

TEST_CASE(
    "f16 products stay within half a unit of the last place and the error of f32 sums, and overflow to infinity") {
  Generator g(5);
  constexpr std::int64_t kTerms = 500;
  const Array a = random_array(g, {20, kTerms}).to(DType::f16), b = random_array(g, {kTerms, 30}).to(DType::f16);
  const Array y = k::matmul(a, b).to(DType::f64), truth = k::matmul(wide(a), wide(b));
  const auto magnitude = [](const Array& x) {
    Array sizes = x.to(DType::f64);
    double* const p = sizes.data<double>();
    for (std::int64_t i = 0; i < sizes.size(); ++i) p[i] = std::fabs(p[i]);
    return sizes;
  };
  const Array sums = k::matmul(magnitude(a.contiguous()), magnitude(b.contiguous()));
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const double t = truth.data<double>()[i], half = std::ldexp(1.0, std::max(std::ilogb(t), -14) - 11);
    const double of_sum = kTerms * 0x1p-24 * sums.data<double>()[i];
    REQUIRE(std::fabs(y.data<double>()[i] - t) <= half + of_sum);
  }
  const Array large = Array::full({1, 4}, 300, DType::f16);
  CHECK(k::matmul(large, large.transpose(0, 1)).item() == std::numeric_limits<double>::infinity());
  CHECK(k::matmul(Array::full({1, 1}, 300, DType::f16), Array::full({1, 1}, -200, DType::f16)).item() == -60000);
}
