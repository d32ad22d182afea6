// Products of bf16: against the f64 twin of the rounded numbers within the bound of their roundings, in every memory
// order and dtype; weights are packed once a version; equal numbers give equal bits.
#include <doctest/doctest.h>

#include <tandem/core/kernels/convolution/cache_stats.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/product/bf16_matmul.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/threads.h>
#include <tests/core/bf16_bound.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

double error_of(const Array& y, const Array& a, const Array& b) {
  const Array p = rounded(a), q = rounded(b);
  return share_of_bound(y, k::matmul(p, q), k::matmul(k::absolute(p), k::absolute(q)), a.shape(-1));
}

/// [rows, columns] after leading dims: row major, transposed, or rows of a wider matrix.
Array matrix(Generator& g, Shape shape, int order) {
  if (order == 0) return random_array(g, shape);
  if (order == 1) {
    std::swap(shape[-1], shape[-2]);
    return random_array(g, shape).transpose(-1, -2);
  }
  shape[-1] += 5;
  return random_array(g, shape).slice(-1, 2, shape[-1] - 3);
}

}  // namespace

TEST_CASE("bf16_matmul: every memory order and dtype within the bound of its roundings") {
  Generator g(1);
  const std::int64_t sizes[][3] = {{1, 1, 1},       {3, 5, 7},     {20, 20, 20},  {33, 31, 29},
                                   {1, 300, 70},    {300, 1, 70},  {128, 10, 64}, {70, 90, 110},
                                   {260, 270, 300}, {2000, 16, 9}, {64, 700, 129}};
  for (const auto& size : sizes)
    for (int p = 0; p < 3; ++p)
      for (int q = 0; q < 3; ++q)
        for (const DType dtype : {DType::f32, DType::bf16})
          for (const DType of_b : {DType::f32, DType::bf16}) {
            CAPTURE(size[0]);
            CAPTURE(size[1]);
            CAPTURE(size[2]);
            CAPTURE(p);
            CAPTURE(q);
            const Array a = matrix(g, {size[0], size[2]}, p), b = matrix(g, {size[2], size[1]}, q);
            const Array y = k::bf16_matmul(p == 0 ? a.to(DType::bf16) : a, b.to(of_b), dtype);
            CHECK(y.dtype() == dtype);
            CHECK(error_of(y, a, b) <= 1);
          }
}

TEST_CASE("bf16_matmul: hand values") {
  const Array a = Array::from({1, 2, 3, 4, 5, 6}, {2, 3}), b = Array::from({1, 2, 3, 4, 5, 6}, {3, 2});
  CHECK(k::bf16_matmul(a, b, DType::f32).to_vector<double>() == std::vector<double>{22, 28, 49, 64});
  // 257 is no bf16: 256 as it comes in, and 256 x 1 + 1 is given as 257 in f32, as 256 in bf16.
  const Array c = Array::from({257, 1}, {1, 2}), ones = Array::full({2, 1}, 1);
  CHECK(k::bf16_matmul(c, ones, DType::f32).item() == 257);
  CHECK(k::bf16_matmul(c, ones).item() == 256);
  CHECK(k::bf16_matmul(Array::zeros({2, 0}), Array::zeros({0, 3})).to_vector<double>() == std::vector<double>(6, 0));
  CHECK(k::bf16_matmul(Array::zeros({0, 2}), Array::zeros({2, 3})).shape() == Shape{0, 3});
}

TEST_CASE("bf16_matmul: leading dims broadcast") {
  Generator g(2);
  const std::pair<Shape, Shape> pairs[] = {{{5, 30, 40}, {40, 60}},
                                           {{30, 40}, {5, 40, 60}},
                                           {{5, 30, 40}, {5, 40, 60}},
                                           {{2, 1, 3, 4}, {3, 4, 5}},
                                           {{7, 1, 8, 8}, {1, 6, 8, 8}}};
  for (const auto& pair : pairs)
    for (int order = 0; order < 3; ++order) {
      CAPTURE(pair.first.to_string());
      CAPTURE(order);
      const Array a = matrix(g, pair.first, order), b = matrix(g, pair.second, 2 - order);
      CHECK(error_of(k::bf16_matmul(a.to(DType::bf16), b.to(DType::bf16)), a, b) <= 1);
      CHECK(error_of(k::bf16_matmul(a, b, DType::f32), a, b) <= 1);
    }
}

TEST_CASE("bf16_linear: bias of either dtype, any rank, also no examples") {
  Generator g(3);
  const std::int64_t sizes[][3] = {{4, 16, 2}, {128, 10, 64}, {700, 90, 33}, {1, 512, 512}};
  for (const auto& size : sizes)
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const std::int64_t m = size[0], n = size[1], l = size[2];
      CAPTURE(m);
      const Array x = random_array(g, {m, l}), w = random_array(g, {n, l}), b = random_array(g, {n}, Memory::sliced);
      const Array p = rounded(x), q = rounded(w);
      for (const DType of_b : {DType::f32, DType::bf16}) {
        const Array bias = b.to(of_b), wide = bias.to(DType::f64);
        const Array y = k::bf16_linear(x.to(DType::bf16), w.to(of_b), bias, dtype);
        CHECK(y.dtype() == dtype);
        CHECK(share_of_bound(y, k::linear(p, q, wide), k::linear(k::absolute(p), k::absolute(q), k::absolute(wide)),
                             l + 1) <= 1);
      }
      CHECK(identical(k::bf16_linear(x.reshape({1, m, l}), w, {}, dtype).reshape({m, n}),
                      k::bf16_linear(x, w, {}, dtype)));
    }
  CHECK(k::bf16_linear(Array::zeros({0, 4}), Array::zeros({3, 4}), {}).shape() == Shape{0, 3});
  CHECK(k::linear(Array::full({2, 3}, 1, DType::bf16), Array::full({4, 3}, 1, DType::bf16), {}).dtype() == DType::bf16);
}

TEST_CASE("bf16_linear: f32 weights are packed once a version, and their copies go with them") {
  Generator g(4);
  const Array x = random_array(g, {64, 48}).to(DType::bf16);
  const k::KernelCacheStats before = k::kernel_cache_stats();
  {
    Array w = random_array(g, {80, 48});
    const Array first = k::bf16_linear(x, w, {});
    const k::KernelCacheStats warm = k::kernel_cache_stats();
    CHECK(identical(k::bf16_linear(x, w, {}), first));
    CHECK(k::kernel_cache_stats() == warm);
    w.fill(0.5);
    CHECK(!identical(k::bf16_linear(x, w, {}), first));
    const Array same = k::bf16_linear(x, w.clone(), {});
    CHECK(identical(k::bf16_linear(x, w, {}), same));
    if (k::has_bf16_instructions()) CHECK(k::kernel_cache_stats().packings == warm.packings + 2);  // w and its clone
  }
  CHECK(k::kernel_cache_stats().packed_copies == before.packed_copies);
}

TEST_CASE("bf16_matmul: any number of threads, equal bits for equal numbers") {
  Generator g(5);
  const int team = threads();
  const Array a = random_array(g, {300, 200}), b = random_array(g, {200, 100});
  for (const int n : {1, 2, 3}) {
    set_threads(n);
    const Array y = k::bf16_matmul(a, b);
    CHECK(error_of(y, a, b) <= 1);
    CHECK(identical(y, k::bf16_matmul(a, b)));
  }
  set_threads(team);
}

TEST_CASE("bf16_matmul and bf16_linear: errors name both shapes") {
  const Array a = Array::zeros({2, 3}), b = Array::zeros({4, 5});
  CHECK(message_of([&] { k::bf16_matmul(a, b); }) == "bf16_matmul: a has 3 columns, b has 4 rows: a [2, 3], b [4, 5]");
  CHECK(message_of([&] { k::bf16_matmul(Array::zeros({3}), b); }) ==
        "bf16_matmul: both must have rank 2 or more: a [3], b [4, 5]");
  CHECK(message_of([&] { k::bf16_matmul(a.to(DType::f64), b); }) ==
        "bf16_matmul: a is f64, must be bf16 or f32: [2, 3]");
  CHECK(message_of([&] { k::bf16_matmul(a, b.transpose(0, 1), DType::f64); }) ==
        "bf16_matmul: y is to be f64, must be bf16 or f32");
  CHECK(message_of([&] { k::bf16_linear(a, b, {}); }) ==
        "bf16_linear: x has 3 features, w expects 5: x [2, 3], w [4, 5]");
  CHECK(message_of([&] {
          k::bf16_linear(a, Array::zeros({4, 3}), Array::zeros({3}));
        }) == "bf16_linear: b is [3], must be [4]: x [2, 3], w [4, 3]");
  CHECK(message_of([&] { k::bf16_linear(a, Array::zeros({3}), {}); }) ==
        "bf16_linear: x must have rank 1 or more, w rank 2: x [2, 3], w [3]");
}
