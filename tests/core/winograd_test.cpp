// Winograd convolutions against the naive twin in double: sizes that tiles do not divide, every padding, memory orders
// of weights, both ways of summing weight gradients, and the loops for every width of vectors that the processor has.
// The error of F(4x4, 3x3) against the largest number: below 1e-5 (1e-6 where normal numbers are summed as in
// training).
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <tandem/core/kernels/convolution/winograd.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/reference/conv2d.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

constexpr double kBound = 1e-5;

struct Problem {
  Shape x, w;
  Size2 padding;
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> table{
      {{1, 16, 3, 3}, {16, 16, 3, 3}, 0},   {{2, 16, 8, 8}, {32, 16, 3, 3}, 1},
      {{3, 32, 7, 9}, {16, 32, 3, 3}, 1},   {{2, 16, 6, 5}, {16, 16, 3, 3}, {2, 0}},
      {{2, 48, 1, 1}, {16, 48, 3, 3}, 1},   {{5, 16, 4, 4}, {80, 16, 3, 3}, 2},
      {{9, 64, 13, 12}, {48, 64, 3, 3}, 1}, {{4, 160, 6, 6}, {144, 160, 3, 3}, 1},
  };
  return table;
}

const k::tiles::Loops& widest() { return *k::tiles::all_loops().front(); }

Array images(const Shape& shape) { return Array::empty(shape, DType::f32, Layout::channels_last); }

/// Random operands of a problem, and what the naive twin makes of them.
class Case {
 public:
  Case(const Problem& p, Memory memory, Generator& g)
      : text_(p.x.to_string() + " " + p.w.to_string() + " memory " + std::to_string(static_cast<int>(memory))),
        options_{.padding = p.padding} {
    REQUIRE(k::can_winograd(p.w, options_));
    const Shape shape = k::conv2d_shape(p.x, p.w, options_);
    x_ = random_array(g, p.x, Memory::channels_last), dy_ = random_array(g, shape, Memory::channels_last);
    w_ = random_array(g, p.w, memory), b_ = random_array(g, {p.w[0]});
    const auto wide = [](const Array& a) { return a.to(DType::f64); };
    y64_ = wide(images(shape)), biased64_ = y64_.clone(), dx64_ = wide(images(p.x)), dw64_ = wide(Array::empty(p.w));
    k::reference::conv2d<double>(wide(x_), wide(w_), {}, options_, y64_);
    k::reference::conv2d<double>(wide(x_), wide(w_), wide(b_), options_, biased64_);
    k::reference::conv2d_input_grad<double>(wide(dy_), wide(w_), options_, dx64_);
    k::reference::conv2d_weight_grad<double>(wide(dy_), wide(x_), options_, dw64_);
  }

  void check(const k::tiles::Loops& loops) const {
    CAPTURE(text_);
    CAPTURE(loops.lanes);
    Array y = images(dy_.shape()), dx = images(x_.shape()), dw = Array::empty(w_.shape());
    k::winograd(x_, w_, {}, options_, 1, y, loops);
    CHECK(scaled_error(y, y64_) < kBound);
    for (const double slope : {1.0, 0.0, 0.25}) {
      k::winograd(x_, w_, b_, options_, slope, y, loops);
      CHECK(scaled_error(y, slope == 1 ? biased64_ : k::leaky_relu(biased64_, slope)) < kBound);
    }
    k::winograd_input_grad(dy_, w_, options_, dx, loops);
    CHECK(scaled_error(dx, dx64_) < kBound);
    k::winograd_weight_grad(dy_, x_, options_, dw, loops);
    CHECK(scaled_error(dw, dw64_) < kBound);
    Array again = Array::empty(w_.shape());
    k::winograd_weight_grad(dy_, x_, options_, again, loops);
    CHECK(identical(dw, again));
  }

 private:
  std::string text_;
  Conv2dOptions options_;
  Array x_, dy_, w_, b_, y64_, biased64_, dx64_, dw64_;
};

}  // namespace

TEST_CASE("winograd: every pass equals the naive twin") {
  Generator g(1);
  for (const Problem& p : problems())
    for (const Memory memory : {Memory::row_major, Memory::channels_last, Memory::sliced}) {
      const Case c(p, memory, g);
      for (const k::tiles::Loops* loops : k::tiles::all_loops()) c.check(*loops);
    }
  // Large for the naive twin, hence once.
  Case({{70, 144, 5, 5}, {128, 144, 3, 3}, 1}, Memory::row_major, g).check(widest());
}

TEST_CASE("winograd: the error of large sums of normal numbers") {
  Generator g(3);
  const Shape shape{4, 64, 16, 16};
  const Array x = random_array(g, shape, Memory::channels_last), w = random_array(g, {64, 64, 3, 3});
  Array y = images(shape), y64 = y.to(DType::f64), dw = Array::empty({64, 64, 3, 3}), dw64 = dw.to(DType::f64);
  const Conv2dOptions options{.padding = 1};
  k::winograd(x, w, {}, options, 1, y);
  k::reference::conv2d<double>(x.to(DType::f64), w.to(DType::f64), {}, options, y64);
  CHECK(scaled_error(y, y64) < 2e-6);
  k::winograd_weight_grad(y, x, options, dw);
  k::reference::conv2d_weight_grad<double>(y.to(DType::f64), x.to(DType::f64), options, dw64);
  CHECK(scaled_error(dw, dw64) < 4e-6);
}

TEST_CASE("winograd: NaN stays NaN, below a ReLU too") {
  Array x = images({1, 16, 4, 4}), w = Array::full({16, 16, 3, 3}, 1), y = images({1, 16, 4, 4});
  x.fill(1);
  x.set({0, 0, 1, 1}, NAN);
  k::winograd(x, w, {}, {.padding = 1}, 0, y);
  CHECK(std::isnan(y.at({0, 3, 1, 1})));
}

TEST_CASE("winograd: any number of threads, equal bits for equal numbers") {
  Generator g(2);
  const int before = threads();
  for (const Problem& p : {problems()[6], problems()[7]}) {
    const Case c(p, Memory::row_major, g);
    for (const int n : {1, 2, 3}) {
      set_threads(n);
      c.check(widest());
    }
  }
  set_threads(before);
}

TEST_CASE("winograd: an image of one number a channel") {
  Array x = images({1, 16, 1, 1}), w = Array::zeros({16, 16, 3, 3}), y = images({1, 16, 1, 1});
  x.fill(0);
  x.set({0, 3, 0, 0}, 2);
  w.set({5, 3, 1, 1}, 4);
  w.set({5, 3, 0, 0}, 100);  // meets padding only
  k::winograd(x, w, {}, {.padding = 1}, 1, y);
  CHECK(y.at({0, 5, 0, 0}) == doctest::Approx(8).epsilon(1e-5));
  CHECK(y.at({0, 4, 0, 0}) == 0);
}

TEST_CASE("winograd: what it takes") {
  const Shape w{32, 32, 3, 3};
  CHECK(k::can_winograd(w, {.padding = 1}));
  CHECK(!k::can_winograd(w, {.stride = 2, .padding = 1}));
  CHECK(!k::can_winograd(w, {.dilation = 2}));
  CHECK(!k::can_winograd(w, {.padding = 3}));
  CHECK(!k::can_winograd({32, 16, 3, 3}, {.groups = 2}));
  CHECK(!k::can_winograd({32, 24, 3, 3}, {}));
  CHECK(!k::can_winograd({32, 32, 1, 1}, {}));
}
