// Convolutions of bf16 activations: against the f64 twin of the rounded numbers within the bound of their roundings,
// with weights of both dtypes; both ways to the weight gradient; what is kept between calls.
#include <doctest/doctest.h>

#include <tandem/core/kernels/convolution/bf16_conv2d.h>
#include <tandem/core/kernels/convolution/cache_stats.h>
#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/convolution/conv_transpose2d.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/product/bf16_matmul.h>
#include <tandem/core/onednn/convolution.h>
#include <tests/core/bf16_bound.h>
#include <tests/core/random_arrays.h>
#include <tests/skip.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

struct Problem {
  Shape x, w;
  Conv2dOptions options;
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> all{
      {{2, 3, 32, 32}, {16, 3, 3, 3}, {.padding = 1}},
      {{4, 16, 16, 16}, {16, 16, 3, 3}, {.padding = 1}},
      {{3, 16, 16, 16}, {32, 16, 3, 3}, {.stride = 2, .padding = 1}},
      {{3, 16, 16, 16}, {32, 16, 1, 1}, {.stride = 2}},
      {{2, 64, 8, 8}, {64, 64, 3, 3}, {.padding = 1}},
      {{5, 32, 4, 4}, {48, 32, 3, 3}, {.padding = 1}},
      {{2, 7, 9, 11}, {5, 7, 3, 2}, {.stride = {2, 1}, .padding = {1, 0}}},
      {{2, 8, 13, 13}, {8, 8, 3, 3}, {.padding = 2, .dilation = 2}},
      {{2, 32, 8, 8}, {32, 1, 3, 3}, {.padding = 1, .groups = 32}},
      {{2, 12, 8, 8}, {18, 4, 3, 3}, {.padding = 1, .groups = 3}},
      {{1, 1, 2, 2}, {1, 1, 2, 2}, {}},
  };
  return all;
}

std::int64_t terms_of(const Problem& p) { return p.w[1] * p.w[2] * p.w[3]; }
Array magnitude(const Array& x) { return k::absolute(x); }

}  // namespace

TEST_CASE("conv2d: bf16 forward and both gradients within the bound of their roundings") {
  Generator g(1);
  for (const Problem& p : problems())
    for (const Memory memory : {Memory::channels_last, Memory::row_major, Memory::sliced})
      for (const DType of_w : {DType::f32, DType::bf16}) {
        CAPTURE(p.x.to_string());
        CAPTURE(p.w.to_string());
        const Array x = random_array(g, p.x, memory).to(DType::bf16), w = random_array(g, p.w).to(of_w);
        const Array wide_x = rounded(x), wide_w = rounded(w);
        const Array b = random_array(g, {p.w[0]}).to(of_w), wide_b = b.to(DType::f64);

        const Array y = k::conv2d(x, w, b, p.options);
        CHECK(y.dtype() == DType::bf16);
        CHECK(y.is_channels_last());
        CHECK(share_of_bound(y, k::conv2d(wide_x, wide_w, wide_b, p.options),
                             k::conv2d(magnitude(wide_x), magnitude(wide_w), magnitude(wide_b), p.options),
                             terms_of(p) + 1) <= 1);

        const Array dy = random_array(g, y.shape(), memory).to(DType::bf16), wide_dy = rounded(dy);
        const Array dx = k::conv2d_input_grad(dy, w, p.x, p.options);
        CHECK(dx.dtype() == DType::bf16);
        CHECK(share_of_bound(dx, k::conv2d_input_grad(wide_dy, wide_w, p.x, p.options),
                             k::conv2d_input_grad(magnitude(wide_dy), magnitude(wide_w), p.x, p.options),
                             p.w[0] * p.w[2] * p.w[3]) <= 1);

        const std::int64_t sums = y.size() / p.w[0];
        const Array exact = k::conv2d_weight_grad(wide_dy, wide_x, p.w, p.options);
        const Array size = k::conv2d_weight_grad(magnitude(wide_dy), magnitude(wide_x), p.w, p.options);
        const Array dw = k::conv2d_weight_grad(dy, x, p.w, p.options, DType::f32);
        CHECK(dw.dtype() == DType::f32);
        CHECK(dw.is_contiguous());
        CHECK(share_of_bound(dw, exact, size, sums) <= 1);
        CHECK(identical(k::conv2d_weight_grad(dy, x, p.w, p.options), dw.to(DType::bf16)));
        if (p.options.groups == 1)
          CHECK(share_of_bound(k::bf16_unfolded_weight_grad(dy, x, p.w, p.options), exact, size, sums) <= 1);
      }
}

TEST_CASE("conv2d: where there are instructions for bf16, oneDNN takes every problem, and none falls back to f32") {
  if (!k::has_bf16_instructions()) return test::skip("this processor has no instructions for bf16");
  Generator g(7);
  for (const Problem& p : problems()) {
    CAPTURE(p.x.to_string());
    CAPTURE(p.w.to_string());
    const Array x = random_array(g, p.x, Memory::channels_last).to(DType::bf16), w = random_array(g, p.w);
    Array y = Array::empty(k::conv2d_shape(p.x, p.w, p.options), DType::bf16, Layout::channels_last);
    Array dx = Array::empty_like(x), dw = Array::empty(p.w);
    CHECK(onednn::convolution(x, w, {}, p.options, y));
    CHECK(onednn::convolution_input_grad(y, w, p.options, dx));
    CHECK(onednn::convolution_weight_grad(y, x, p.options, dw));
  }
}

TEST_CASE("conv_transpose2d: bf16 with f32 weights and bias") {
  Generator g(2);
  const ConvTranspose2dOptions options{.stride = 2, .padding = 1, .output_padding = 1};
  const Array x = random_array(g, {2, 16, 8, 8}, Memory::channels_last).to(DType::bf16);
  const Array w = random_array(g, {16, 12, 3, 3}), b = random_array(g, {12});
  const Array y = k::conv_transpose2d(x, w, {}, options);
  CHECK(y.dtype() == DType::bf16);
  const Array p = rounded(x), q = rounded(w);
  CHECK(share_of_bound(y, k::conv_transpose2d(p, q, {}, options),
                       k::conv_transpose2d(magnitude(p), magnitude(q), {}, options), 16 * 9) <= 1);
  // The bias is added to what is bf16 already, and the sum is rounded again.
  const Array sum = k::add(y.to(DType::f64), b.to(DType::bf16).to(DType::f64).reshape({1, 12, 1, 1}));
  CHECK(identical(k::conv_transpose2d(x, w, b, options), sum.to(DType::f32).to(DType::bf16)));
}

TEST_CASE("conv2d: a bf16 training step creates nothing after the first and packs f32 weights once a layout") {
  Generator g(3);
  const Array x = random_array(g, {4, 16, 16, 16}, Memory::channels_last).to(DType::bf16);
  Array w = random_array(g, {32, 16, 3, 3});
  const Conv2dOptions options{.stride = 2, .padding = 1};
  const auto step = [&] {
    const Array y = k::conv2d(x, w, {}, options);
    k::conv2d_input_grad(y, w, x.shape(), options);
    w.copy_from(k::conv2d_weight_grad(y, x, w.shape(), options, DType::f32));
    return y;
  };
  step();
  step();
  const k::KernelCacheStats warm = k::kernel_cache_stats();
  const Array first = step();
  const k::KernelCacheStats after = k::kernel_cache_stats();
  CHECK(after.primitives_created == warm.primitives_created);
  CHECK(after.packed_copies == warm.packed_copies);
  if (k::has_bf16_instructions()) {
    CHECK(after.packings > warm.packings);
    CHECK(after.packings <= warm.packings + 2);
  }
  CHECK(!identical(step(), first));
}

TEST_CASE("conv2d: bf16 without elements, and dtypes that do not go together") {
  const Array none = Array::zeros({0, 16, 8, 8}, DType::bf16), w = Array::full({16, 16, 3, 3}, 1);
  const Conv2dOptions options{.padding = 1};
  CHECK(k::conv2d(none, w, {}, options).shape() == Shape{0, 16, 8, 8});
  CHECK(k::conv2d_input_grad(none, w, none.shape(), options).shape() == none.shape());
  CHECK(identical(k::conv2d_weight_grad(none, none, w.shape(), options, DType::f32), Array::zeros(w.shape())));
  const Array x = Array::zeros({1, 16, 8, 8});
  CHECK(message_of([&] { k::conv2d(x, w.to(DType::bf16), {}, {}); }) ==
        "conv2d: x is f32, w is bf16: they must be equal");
  CHECK(message_of([&] { k::conv2d(x.to(DType::bf16), w.to(DType::f64), {}, {}); }) ==
        "conv2d: x is bf16, w is f64: they must be equal");
  CHECK(message_of([&] { k::conv2d_weight_grad(x, x, w.shape(), options, DType::bf16); }) ==
        "conv2d_weight_grad: dw is to be bf16, dy is f32: x [1, 16, 8, 8], w [16, 16, 3, 3]");
}
