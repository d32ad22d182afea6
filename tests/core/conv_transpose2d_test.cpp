// Transposed convolution: hand values, the shape rule with output padding, its errors, and the fast path against the
// naive twin over a table of problems and memory orders. The sums themselves are conv2d's (conv2d_test.cpp).
#include <doctest/doctest.h>

#include <tandem/core/kernels/convolution/conv_transpose2d.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

struct Problem {
  const char* name;
  Shape x, w;
  ConvTranspose2dOptions options;
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> table{
      {"3x3", {3, 16, 9, 8}, {16, 24, 3, 3}, {.padding = 1}},
      {"3x3 by Winograd", {2, 32, 16, 16}, {32, 32, 3, 3}, {.padding = 1}},
      {"doubling", {4, 16, 8, 8}, {16, 8, 4, 4}, {.stride = 2, .padding = 1}},
      {"doubling to an image", {4, 32, 8, 8}, {32, 3, 4, 4}, {.stride = 2, .padding = 1}},
      {"output padding", {2, 16, 7, 5}, {16, 8, 3, 3}, {.stride = 2, .padding = 1, .output_padding = 1}},
      {"uneven", {2, 8, 5, 6}, {8, 8, 3, 2}, {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {0, 2}}},
      {"dilation", {2, 8, 6, 6}, {8, 16, 3, 3}, {.stride = 2, .padding = 2, .dilation = 2}},
      {"groups", {2, 16, 6, 6}, {16, 4, 4, 4}, {.stride = 2, .padding = 1, .groups = 2}},
      {"depthwise", {2, 19, 6, 6}, {19, 1, 3, 3}, {.stride = 2, .padding = 1, .groups = 19}},
      {"one place", {5, 32, 1, 1}, {32, 16, 4, 4}, {}},
      {"tiny", {1, 1, 2, 2}, {1, 1, 2, 2}, {}},
  };
  return table;
}

/// y[n,k,i,j] = b[k] + sum_{c,p,q,r,s} x[n,c,p,q] w[c,k,r,s], written from the x side.
Array by_definition(const Array& x, const Array& w, const Array& b, const ConvTranspose2dOptions& o) {
  const Shape shape = k::conv_transpose2d_shape(x.shape(), w.shape(), o);
  const Doubles xs = x.to_vector<double>(), ws = w.to_vector<double>();
  Array y = Array::zeros(shape, DType::f64);
  double* out = y.data<double>();
  const std::int64_t C = x.shape(1), H = x.shape(2), W = x.shape(3), K = w.shape(1), R = w.shape(2), S = w.shape(3);
  for (std::int64_t n = 0; n < shape[0]; ++n)
    for (std::int64_t c = 0; c < C; ++c)
      for (std::int64_t p = 0; p < H; ++p)
        for (std::int64_t q = 0; q < W; ++q)
          for (std::int64_t f = 0; f < K; ++f)
            for (std::int64_t r = 0; r < R; ++r)
              for (std::int64_t s = 0; s < S; ++s) {
                const std::int64_t i = p * o.stride.h + r * o.dilation.h - o.padding.h;
                const std::int64_t j = q * o.stride.w + s * o.dilation.w - o.padding.w;
                if (i < 0 || i >= shape[2] || j < 0 || j >= shape[3]) continue;
                const std::int64_t channel = c / (C / o.groups) * K + f;
                out[((n * shape[1] + channel) * shape[2] + i) * shape[3] + j] +=
                    xs[static_cast<std::size_t>(((n * C + c) * H + p) * W + q)] *
                    ws[static_cast<std::size_t>(((c * K + f) * R + r) * S + s)];
              }
  return b.defined() ? k::add(y, b.to(DType::f64).reshape({1, shape[1], 1, 1})) : y;
}

}  // namespace

TEST_CASE("conv_transpose2d: hand values") {
  const Array x = Array::from({1, 2, 3, 4}, {1, 1, 2, 2}), w = Array::from({1, 10, 100, 1000}, {1, 1, 2, 2});
  CHECK(k::conv_transpose2d(x, w, {}, {}).to_vector<double>() == Doubles{1, 12, 20, 103, 1234, 2040, 300, 3400, 4000});
  CHECK(k::conv_transpose2d(x, w, Array::from({0.5}, {1}), {.padding = 1}).to_vector<double>() == Doubles{1234.5});
  CHECK(k::conv_transpose2d(x, w, {}, {.stride = 2}).to_vector<double>() ==
        Doubles{1, 10, 2, 20, 100, 1000, 200, 2000, 3, 30, 4, 40, 300, 3000, 400, 4000});
  const Array padded = k::conv_transpose2d(x, w, {}, {.stride = 2, .padding = 1, .output_padding = {0, 1}});
  CHECK(padded.shape() == Shape{1, 1, 2, 3});
  CHECK(padded.to_vector<double>() == Doubles{1000, 200, 2000, 30, 4, 40});
}

TEST_CASE("conv_transpose2d: the fast path equals the definition, in every memory order") {
  Generator g(3);
  for (const Problem& p : problems())
    for (const Memory memory : {Memory::row_major, Memory::channels_last, Memory::sliced}) {
      CAPTURE(p.name);
      CAPTURE(static_cast<int>(memory));
      const Array x = random_array(g, p.x, memory), w = random_array(g, p.w, memory);
      const Array b = random_array(g, {p.w[1] * p.options.groups}, memory);
      const Array y = k::conv_transpose2d(x, w, b, p.options);
      CHECK(y.is_channels_last());
      CHECK(scaled_error(y, by_definition(x, w, b, p.options)) < 4e-6);
      CHECK(scaled_error(k::conv_transpose2d(x.to(DType::f64), w.to(DType::f64), {}, p.options),
                         by_definition(x, w, {}, p.options)) < 1e-15);
    }
}

TEST_CASE("conv_transpose2d: <conv2d(u), v> = <u, conv_transpose2d(v)>") {
  Generator g(4);
  const ConvTranspose2dOptions options{.stride = 2, .padding = 1, .output_padding = 1};
  const Array u = random_array(g, {2, 6, 8, 10}).to(DType::f64), w = random_array(g, {5, 6, 3, 3}).to(DType::f64);
  const Array v = random_array(g, {2, 5, 4, 5}).to(DType::f64);
  const double left = k::sum(k::multiply(k::conv2d(u, w, {}, k::transposed(options)), v)).item();
  CHECK(k::sum(k::multiply(u, k::conv_transpose2d(v, w, {}, options))).item() == doctest::Approx(left));
}

TEST_CASE("conv_transpose2d: bf16 and a batch of nothing") {
  Generator g(6);
  const Array x = random_array(g, {2, 16, 4, 4}).to(DType::bf16), w = random_array(g, {16, 8, 4, 4}).to(DType::bf16);
  CHECK(k::conv_transpose2d(x, w, {}, {.stride = 2, .padding = 1}).dtype() == DType::bf16);
  CHECK(k::conv_transpose2d(Array::zeros({0, 16, 4, 4}), Array::zeros({16, 8, 4, 4}), {}, {.stride = 2}).shape() ==
        Shape{0, 8, 10, 10});
}

TEST_CASE("conv_transpose2d: errors name what is wrong and both shapes") {
  const auto message = [](const Shape& x, const Shape& w, const ConvTranspose2dOptions& options) {
    return message_of([&] { k::conv_transpose2d_shape(x, w, options); });
  };
  const Shape x{8, 6, 5, 5}, w{6, 4, 3, 3};
  CHECK(message(x, {5, 4, 3, 3}, {}) ==
        "conv_transpose2d: x has 6 channels, w expects 5: x [8, 6, 5, 5], w [5, 4, 3, 3]");
  CHECK(message(x, w, {.stride = 2, .output_padding = {1, 2}}) ==
        "conv_transpose2d: output_padding is 1x2, must be below the stride: stride 2x2");
  CHECK(message(x, w, {.groups = 4}) ==
        "conv_transpose2d: x has 6 channels, which 4 groups do not divide: x [8, 6, 5, 5], w [6, 4, 3, 3]");
  CHECK(message(x, w, {.padding = 4}) ==
        "conv_transpose2d: the padding leaves nothing of the image: x [8, 6, 5, 5], w [6, 4, 3, 3], padding 4x4");
  CHECK(message({8, 6, 5}, w, {}) ==
        "conv_transpose2d: x has rank 3, must be [N, C, H, W]: x [8, 6, 5], w [6, 4, 3, 3]");
  CHECK(message(x, {6, 4}, {}) ==
        "conv_transpose2d: w has rank 2, must be [C, K/groups, R, S]: x [8, 6, 5, 5], w [6, 4]");
  CHECK(message({8, 6, 0, 5}, w, {}) ==
        "conv_transpose2d: image and kernel must not be empty: x [8, 6, 0, 5], w [6, 4, 3, 3]");
  CHECK(message(x, w, {.stride = 0}) == "conv_transpose2d: stride is 0x0, must be at least 1");
  CHECK(message(x, w, {.padding = -1}) == "conv_transpose2d: padding is -1x-1, must be at least 0");
  CHECK(message(x, w, {.groups = 0}) == "conv_transpose2d: groups is 0, must be at least 1");
  const Array image = Array::zeros(x), filters = Array::zeros(w);
  CHECK(message_of([&] { k::conv_transpose2d(image, filters, Array::zeros({3}), {}); }) ==
        "conv_transpose2d: b is [3], must be [4]: x [8, 6, 5, 5], w [6, 4, 3, 3]");
  CHECK(message_of([&] { k::conv_transpose2d(image.to(DType::i64), filters, {}, {}); }) ==
        "conv_transpose2d: x is i64, must be floating: x [8, 6, 5, 5]; convert it with to(DType::f32)");
}
