// Convolution: hand values, the shape rule's errors, and both passes against the naive twin in double over a table of
// problems and memory orders. What is kept between calls is in onednn_test.cpp.
#include <doctest/doctest.h>

#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/kernels/reference/conv2d.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

struct Problem {
  const char* name;
  Shape x, w;
  Conv2dOptions options;
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> table{
      {"3x3", {4, 16, 9, 9}, {24, 16, 3, 3}, {.padding = 1}},
      {"3x3 even size", {3, 32, 16, 16}, {16, 32, 3, 3}, {.padding = 1}},
      {"3x3 odd sizes", {2, 8, 7, 13}, {8, 8, 3, 3}, {.padding = 1}},
      {"3x3 without padding", {2, 16, 8, 6}, {16, 16, 3, 3}, {}},
      {"3x3 padding 2", {2, 16, 5, 6}, {8, 16, 3, 3}, {.padding = 2}},
      {"3x3 wide padding", {2, 8, 6, 6}, {8, 8, 3, 3}, {.padding = {0, 1}}},
      {"stride 2", {4, 16, 16, 16}, {32, 16, 3, 3}, {.stride = 2, .padding = 1}},
      {"stride 2 odd", {2, 16, 15, 9}, {32, 16, 3, 3}, {.stride = 2, .padding = 1}},
      {"asymmetric stride", {2, 8, 12, 17}, {16, 8, 3, 3}, {.stride = {2, 3}, .padding = {1, 0}}},
      {"first layer", {8, 3, 32, 32}, {16, 3, 3, 3}, {.padding = 1}},
      {"one channel", {3, 1, 28, 28}, {8, 1, 5, 5}, {}},
      {"to one channel", {3, 8, 12, 12}, {1, 8, 3, 3}, {.padding = 1}},
      {"odd channels", {2, 5, 11, 10}, {7, 5, 3, 2}, {.padding = {1, 0}}},
      {"1x1", {4, 32, 8, 8}, {64, 32, 1, 1}, {}},
      {"1x1 stride 2", {4, 16, 8, 8}, {32, 16, 1, 1}, {.stride = 2}},
      {"7x7 stride 2", {2, 3, 30, 30}, {16, 3, 7, 7}, {.stride = 2, .padding = 3}},
      {"1x5", {2, 8, 9, 12}, {8, 8, 1, 5}, {.padding = {0, 2}}},
      {"dilation", {2, 16, 14, 14}, {16, 16, 3, 3}, {.padding = 2, .dilation = 2}},
      {"asymmetric dilation", {2, 8, 14, 15}, {8, 8, 3, 3}, {.padding = {1, 3}, .dilation = {1, 3}}},
      {"dilation and stride", {2, 8, 15, 15}, {8, 8, 3, 3}, {.stride = 2, .padding = 2, .dilation = 2}},
      {"groups", {2, 16, 10, 10}, {32, 8, 3, 3}, {.padding = 1, .groups = 2}},
      {"odd groups", {2, 15, 9, 9}, {10, 3, 3, 3}, {.padding = 1, .groups = 5}},
      {"depthwise", {2, 32, 12, 12}, {32, 1, 3, 3}, {.padding = 1, .groups = 32}},
      {"depthwise stride 2", {2, 19, 12, 12}, {19, 1, 3, 3}, {.stride = 2, .padding = 1, .groups = 19}},
      {"depthwise multiplier", {2, 8, 9, 9}, {16, 1, 3, 3}, {.padding = 1, .groups = 8}},
      {"one image", {1, 64, 8, 8}, {64, 64, 3, 3}, {.padding = 1}},
      {"one place", {16, 32, 1, 1}, {48, 32, 1, 1}, {}},
      {"one place padded", {16, 32, 1, 1}, {48, 32, 3, 3}, {.padding = 1}},
      {"whole image", {8, 16, 4, 4}, {32, 16, 4, 4}, {}},
      {"tiny", {1, 1, 3, 3}, {1, 1, 2, 2}, {}},
      {"many channels", {3, 128, 4, 4}, {256, 128, 3, 3}, {.padding = 1}},
      {"strided, unfolded on AVX2", {4, 32, 16, 16}, {16, 32, 3, 3}, {.stride = 2, .padding = 1}},
      {"strided, by phases on AVX2", {16, 64, 8, 8}, {128, 64, 4, 4}, {.stride = 2, .padding = 1}},
      {"few channels, folded on AVX2", {8, 3, 12, 12}, {32, 3, 4, 4}, {.stride = 2, .padding = 1}},
      {"small image many channels", {5, 128, 2, 2}, {128, 128, 3, 3}, {.padding = 1}},
  };
  return table;
}

constexpr double kTolerance = 4e-6;
constexpr Memory kOrders[] = {Memory::row_major, Memory::channels_last, Memory::sliced};

}  // namespace

TEST_CASE("conv2d: leaky ReLU in the same call, and the gradient of the bias beside that of the weights") {
  Generator g(11);
  for (const Problem& p : problems()) {
    CAPTURE(p.name);
    const Shape shape = k::conv2d_shape(p.x, p.w, p.options);
    const Array x = random_array(g, p.x, Memory::channels_last), w = random_array(g, p.w, Memory::row_major);
    const Array b = random_array(g, {p.w[0]}, Memory::row_major), dy = random_array(g, shape, Memory::channels_last);
    const Array sums = k::conv2d(x.to(DType::f64), w.to(DType::f64), b.to(DType::f64), p.options);
    for (const double slope : {0.0, 0.25, 1.0}) {
      CAPTURE(slope);
      CHECK(scaled_error(k::conv2d(x, w, b, p.options, slope), k::leaky_relu(sums, slope)) < kTolerance);
      CHECK(identical(k::conv2d(x.to(DType::f64), w.to(DType::f64), b.to(DType::f64), p.options, slope),
                      k::leaky_relu(sums, slope)));
    }
    Array db;
    const Array dw = k::conv2d_weight_grad(dy, x, p.w, p.options, &db);
    CHECK(scaled_error(db, k::sum(dy.to(DType::f64), {0, 2, 3})) < kTolerance);
    CHECK(scaled_error(dw, k::conv2d_weight_grad(dy.to(DType::f64), x.to(DType::f64), p.w, p.options)) < kTolerance);
  }
}

TEST_CASE("conv2d: NaN stays NaN below a ReLU") {
  for (const Problem& p : problems()) {
    CAPTURE(p.name);
    Array x = Array::empty(p.x, DType::f32, Layout::channels_last);
    x.fill(NAN);
    const Array y = k::conv2d(x, Array::full(p.w, 1), {}, p.options, 0);
    CHECK(std::isnan(y.at({0, 0, y.shape(2) / 2, y.shape(3) / 2})));
  }
}

TEST_CASE("conv2d: hand values") {
  const Array x = Array::from({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3});
  const Array w = Array::from({1, 2, 3, 4}, {1, 1, 2, 2});
  CHECK(k::conv2d(x, w, {}, {}).to_vector<double>() == Doubles{37, 47, 67, 77});
  CHECK(k::conv2d(x, w, Array::from({0.5}, {1}), {}).to_vector<double>() == Doubles{37.5, 47.5, 67.5, 77.5});
  CHECK(k::conv2d(x, w, {}, {.stride = 2, .padding = 1}).to_vector<double>() == Doubles{4, 18, 36, 77});
  CHECK(k::conv2d(x, w, {}, {.dilation = 2}).to_vector<double>() == Doubles{1 + 2 * 3 + 3 * 7 + 4 * 9});
  const Array dy = Array::from({1, 0, 0, 2}, {1, 1, 2, 2});
  CHECK(k::conv2d_input_grad(dy, w, x.shape(), {}).to_vector<double>() == Doubles{1, 2, 0, 3, 6, 4, 0, 6, 8});
  CHECK(k::conv2d_weight_grad(dy, x, w.shape(), {}).to_vector<double>() == Doubles{11, 14, 20, 23});
}

TEST_CASE("conv2d: groups see their own channels only") {
  const Array x = Array::from({1, 10}, {1, 2, 1, 1});
  const Array w = Array::from({2, 3}, {2, 1, 1, 1});
  CHECK(k::conv2d(x, w, {}, {.groups = 2}).to_vector<double>() == Doubles{2, 30});
}

TEST_CASE("conv2d: both passes equal the naive twin, in every memory order") {
  Generator g(3);
  for (const Problem& p : problems()) {
    for (const Memory memory : kOrders) {
      CAPTURE(p.name);
      CAPTURE(static_cast<int>(memory));
      const Shape shape = k::conv2d_shape(p.x, p.w, p.options);
      const Array x = random_array(g, p.x, memory), w = random_array(g, p.w, memory);
      const Array dy = random_array(g, shape, memory), b = random_array(g, {p.w[0]}, memory);
      const Array x64 = x.to(DType::f64), w64 = w.to(DType::f64), dy64 = dy.to(DType::f64), b64 = b.to(DType::f64);
      Array y = Array::empty(shape, DType::f64), dx = Array::empty(p.x, DType::f64), dw = Array::empty(p.w, DType::f64);

      k::reference::conv2d<double>(x64, w64, {}, p.options, y);
      const Array fast = k::conv2d(x, w, {}, p.options);
      CHECK(scaled_error(fast, y) < kTolerance);
      CHECK(fast.is_channels_last());
      k::reference::conv2d<double>(x64, w64, b64, p.options, y);
      CHECK(scaled_error(k::conv2d(x, w, b, p.options), y) < kTolerance);
      CHECK(scaled_error(k::conv2d(x64, w64, b64, p.options), y) < 1e-15);

      k::reference::conv2d_input_grad<double>(dy64, w64, p.options, dx);
      const Array fast_dx = k::conv2d_input_grad(dy, w, p.x, p.options);
      CHECK(scaled_error(fast_dx, dx) < kTolerance);
      CHECK(fast_dx.is_channels_last());

      k::reference::conv2d_weight_grad<double>(dy64, x64, p.options, dw);
      const Array fast_dw = k::conv2d_weight_grad(dy, x, p.w, p.options);
      CHECK(scaled_error(fast_dw, dw) < kTolerance);
      CHECK(fast_dw.is_contiguous());
    }
  }
}

TEST_CASE("conv2d: equal calls give equal bits") {
  Generator g(4);
  const Array x = random_array(g, {16, 32, 16, 16}, Memory::channels_last), w = random_array(g, {32, 32, 3, 3});
  const Conv2dOptions options{.padding = 1};
  const Array y = k::conv2d(x, w, {}, options), dx = k::conv2d_input_grad(y, w, x.shape(), options);
  const Array dw = k::conv2d_weight_grad(y, x, w.shape(), options);
  for (int i = 0; i < 5; ++i) {
    CHECK(identical(y, k::conv2d(x, w, {}, options)));
    CHECK(identical(dx, k::conv2d_input_grad(y, w, x.shape(), options)));
    CHECK(identical(dw, k::conv2d_weight_grad(y, x, w.shape(), options)));
  }
}

TEST_CASE("conv2d: any number of threads") {
  Generator g(5);
  const int before = threads();
  const Array x = random_array(g, {5, 16, 12, 12}, Memory::channels_last), w = random_array(g, {32, 16, 3, 3});
  Array y = Array::empty({5, 32, 12, 12}, DType::f64);
  k::reference::conv2d<double>(x.to(DType::f64), w.to(DType::f64), {}, {.padding = 1}, y);
  for (const int n : {1, 2, 3}) {
    set_threads(n);
    CHECK(scaled_error(k::conv2d(x, w, {}, {.padding = 1}), y) < kTolerance);
  }
  set_threads(before);
}

TEST_CASE("conv2d: a batch of nothing") {
  const Array x = Array::zeros({0, 16, 8, 8}), w = Array::full({16, 16, 3, 3}, 1);
  const Array y = k::conv2d(x, w, {}, {.padding = 1});
  CHECK(y.shape() == Shape{0, 16, 8, 8});
  CHECK(k::conv2d_input_grad(y, w, x.shape(), {.padding = 1}).shape() == x.shape());
  CHECK(identical(k::conv2d_weight_grad(y, x, w.shape(), {.padding = 1}), Array::zeros(w.shape())));
}

TEST_CASE("conv2d: errors name what is wrong and both shapes") {
  const auto message = [](const Shape& x, const Shape& w, const Conv2dOptions& options) {
    return message_of([&] { k::conv2d_shape(x, w, options); });
  };
  const Shape x{8, 3, 32, 32}, w{32, 16, 3, 3};
  CHECK(message(x, w, {}) == "conv2d: x has 3 channels, w expects 16: x [8, 3, 32, 32], w [32, 16, 3, 3]");
  CHECK(message(x, {32, 3, 40, 3}, {}) ==
        "conv2d: the kernel is larger than the padded image: x [8, 3, 32, 32], w [32, 3, 40, 3], padding 0x0, dilation "
        "1x1");
  CHECK(message({8, 3, 32}, w, {}) == "conv2d: x has rank 3, must be [N, C, H, W]: x [8, 3, 32], w [32, 16, 3, 3]");
  CHECK(message(x, {16, 3}, {}) == "conv2d: w has rank 2, must be [K, C/groups, R, S]: x [8, 3, 32, 32], w [16, 3]");
  CHECK(message(x, {32, 1, 3, 3}, {.groups = 3}) ==
        "conv2d: w gives 32 channels, which 3 groups do not divide: x [8, 3, 32, 32], w [32, 1, 3, 3]");
  CHECK(message(x, {32, 3, 3, 3}, {.stride = 0}) == "conv2d: stride is 0x0, must be at least 1");
  CHECK(message(x, {32, 3, 3, 3}, {.padding = -1}) == "conv2d: padding is -1x-1, must be at least 0");
  CHECK(message(x, {32, 3, 3, 3}, {.dilation = 0}) == "conv2d: dilation is 0x0, must be at least 1");
  CHECK(message(x, {32, 3, 3, 3}, {.groups = 0}) == "conv2d: groups is 0, must be at least 1");

  const Array image = Array::zeros(x), filters = Array::zeros({32, 3, 3, 3});
  CHECK(message_of([&] { k::conv2d(image, filters, Array::zeros({3}), {}); }) ==
        "conv2d: b is [3], must be [32]: x [8, 3, 32, 32], w [32, 3, 3, 3]");
  CHECK(message_of([&] { k::conv2d(image, filters.to(DType::f64), {}, {}); }) ==
        "conv2d: x is f32, w is f64: they must be equal");
  CHECK(message_of([&] { k::conv2d(image.to(DType::i64), filters, {}, {}); }) ==
        "conv2d: x is i64, must be floating: x [8, 3, 32, 32]; convert it with to(DType::f32)");
  CHECK(message_of([&] { k::conv2d({}, filters, {}, {}); }) == "conv2d: x is not defined");
  CHECK(message_of([&] { k::conv2d_input_grad(image, filters, x, {}); }) ==
        "conv2d_input_grad: dy is [8, 3, 32, 32], must be [8, 32, 30, 30]: x [8, 3, 32, 32], w [32, 3, 3, 3]");
  CHECK(message_of([&] { k::conv2d_weight_grad(image, image, filters.shape(), {}); }) ==
        "conv2d_weight_grad: dy is [8, 3, 32, 32], must be [8, 32, 30, 30]: x [8, 3, 32, 32], w [32, 3, 3, 3]");
}
