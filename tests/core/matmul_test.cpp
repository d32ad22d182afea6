// Matrix products: hand values, errors, and every choice of library against the naive twin in double.
#include <doctest/doctest.h>

#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/product/small.h>
#include <tandem/core/kernels/reference/matmul.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

Array truth(const Array& a, const Array& b) { return k::matmul(a.to(DType::f64), b.to(DType::f64)); }

/// The largest error against the bound for sums of `terms` products below 9: each of its additions rounds once.
double scaled_error(const Array& fast, const Array& exact, std::int64_t terms) {
  const Doubles p = fast.to_vector<double>(), q = exact.to_vector<double>();
  if (!(fast.shape() == exact.shape())) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    worst = std::isfinite(p[i]) ? std::max(worst, std::fabs(p[i] - q[i])) : INFINITY;
  return worst / (9 * static_cast<double>(terms));
}

/// A matrix [rows, columns] (after leading dims) in one of five memory orders.
Array random_matrix(Generator& g, Shape shape, int order) {
  switch (order) {
    case 0:
      return random_array(g, shape);
    case 1: {  // the transpose of one that is stored
      std::swap(shape[-1], shape[-2]);
      return random_array(g, shape).transpose(-1, -2);
    }
    case 2: {  // rows of a wider one
      shape[-1] += 5;
      return random_array(g, shape).slice(-1, 2, shape[-1] - 3);
    }
    case 3:
      return random_array(g, shape, Memory::sliced);
    default:
      break;
  }
  const Shape whole = shape;
  shape[-2] = 1;
  return random_array(g, shape).expand(whole);
}

}  // namespace

TEST_CASE("matmul: hand values") {
  const Array a = Array::from({1, 2, 3, 4, 5, 6}, {2, 3}), b = Array::from({1, 2, 3, 4, 5, 6}, {3, 2});
  CHECK(k::matmul(a, b).to_vector<double>() == Doubles{22, 28, 49, 64});
  CHECK(k::matmul(a, a.transpose(0, 1)).to_vector<double>() == Doubles{14, 32, 32, 77});
  CHECK(k::matmul(a.to(DType::f64), b.to(DType::f64)).to_vector<double>() == Doubles{22, 28, 49, 64});
  CHECK(k::matmul(a.to(DType::bf16), b.to(DType::bf16)).to_vector<double>() == Doubles{22, 28, 49, 64});
  CHECK(k::matmul(Array::zeros({2, 0}), Array::zeros({0, 3})).to_vector<double>() == Doubles(6, 0));
  CHECK(k::matmul(Array::zeros({0, 2}), Array::zeros({2, 3})).shape() == Shape{0, 3});
}

TEST_CASE("linear: hand values") {
  const Array x = Array::from({1, 2, 3, 4}, {2, 2}), w = Array::from({1, 0, 0, 1, 1, 1}, {3, 2});
  CHECK(k::linear(x, w, {}).to_vector<double>() == Doubles{1, 2, 3, 3, 4, 7});
  CHECK(k::linear(x, w, Array::from({10, 20, 30}, {3})).to_vector<double>() == Doubles{11, 22, 33, 13, 24, 37});
  CHECK(k::linear(x.reshape({2, 1, 2}), w, {}).shape() == Shape{2, 1, 3});
  CHECK(k::linear(Array::from({1, 2}, {2}), w, {}).to_vector<double>() == Doubles{1, 2, 3});
}

TEST_CASE("reference::matmul: the definition") {
  const double a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, bias[] = {100, 200};
  double y[4];
  k::reference::matmul<double>({a, 2, 1}, {b, 1, 2}, {y, 2, 1}, 2, 2, 2, bias, 1);
  CHECK(Doubles(y, y + 4) == Doubles{117, 223, 139, 253});
}

TEST_CASE("matmul: every library and memory order against the twin") {
  Generator g(1);
  const std::int64_t sizes[][3] = {{4, 16, 2},      {1, 1, 1},     {1, 300, 70},  {300, 1, 70},
                                   {20, 20, 20},    {33, 31, 29},  {128, 10, 64}, {70, 90, 110},
                                   {260, 270, 300}, {2000, 16, 9}, {513, 129, 65}};
  for (const auto& size : sizes)
    for (int p = 0; p < 5; ++p)
      for (int q = 0; q < 5; ++q) {
        const std::int64_t m = size[0], n = size[1], l = size[2];  // clang 14 captures no structured bindings
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(l);
        CAPTURE(p);
        CAPTURE(q);
        const Array a = random_matrix(g, {m, l}, p), b = random_matrix(g, {l, n}, q);
        CHECK(scaled_error(k::matmul(a, b), truth(a, b), l) < 1e-7);
      }
}

TEST_CASE("matmul: leading dims broadcast") {
  Generator g(2);
  const std::pair<Shape, Shape> pairs[] = {{{5, 3, 4}, {4, 6}},          {{3, 4}, {5, 4, 6}},
                                           {{5, 30, 40}, {5, 40, 60}},   {{2, 1, 3, 4}, {3, 4, 5}},
                                           {{7, 1, 8, 8}, {1, 6, 8, 8}}, {{3, 150, 170}, {1, 170, 200}},
                                           {{64, 16, 16}, {64, 16, 16}}, {{0, 3, 4}, {4, 2}}};
  for (const auto& pair : pairs)
    for (int order = 0; order < 4; ++order) {
      const Shape &p = pair.first, &q = pair.second;
      CAPTURE(p.to_string());
      CAPTURE(q.to_string());
      CAPTURE(order);
      const Array a = random_matrix(g, p, order), b = random_matrix(g, q, 3 - order);
      CHECK(scaled_error(k::matmul(a, b), truth(a, b), p[-1]) < 1e-7);
    }
}

TEST_CASE("linear: against the twin, with and without bias") {
  Generator g(3);
  const std::int64_t sizes[][3] = {{4, 16, 2}, {128, 10, 64}, {700, 90, 33}, {1, 512, 512}};
  for (const auto& [m, n, l] : sizes)
    for (int order = 0; order < 4; ++order) {
      const Array x = random_matrix(g, {m, l}, order), w = random_matrix(g, {n, l}, 3 - order);
      const Array b = random_array(g, {n}, Memory::sliced);
      const auto wide = [](const Array& v) { return v.to(DType::f64); };
      CHECK(scaled_error(k::linear(x, w, {}), k::linear(wide(x), wide(w), {}), l) < 1e-7);
      CHECK(scaled_error(k::linear(x, w, b), k::linear(wide(x), wide(w), wide(b)), l) < 1e-7);
    }
}

TEST_CASE("matmul: any number of threads, equal bits for equal numbers") {
  Generator g(4);
  const int before = threads();
  const Array a = random_array(g, {300, 200}), b = random_array(g, {200, 100});
  for (const int n : {1, 2, 3}) {
    set_threads(n);
    const Array y = k::matmul(a, b);
    CHECK(scaled_error(y, truth(a, b), 200) < 1e-7);
    CHECK(identical(y, k::matmul(a, b)));
  }
  set_threads(before);
}

TEST_CASE("matmul and linear: errors name both shapes") {
  const Array a = Array::zeros({2, 3}), b = Array::zeros({4, 5});
  CHECK(message_of([&] { k::matmul(a, b); }) == "matmul: a has 3 columns, b has 4 rows: a [2, 3], b [4, 5]");
  CHECK(message_of([&] { k::matmul(Array::zeros({3}), b); }) ==
        "matmul: both must have rank 2 or more: a [3], b [4, 5]");
  CHECK(message_of([&] { k::matmul(a, b.to(DType::f64)); }) ==
        "matmul: a is f32 and b is f64: they must be floating and equal");
  CHECK(message_of([&] { k::linear(a, b, {}); }) == "linear: x has 3 features, w expects 5: x [2, 3], w [4, 5]");
  CHECK(message_of([&] {
          k::linear(a, Array::zeros({4, 3}), Array::zeros({3}));
        }) == "linear: b is [3], must be [4]: x [2, 3], w [4, 3]");
  CHECK(message_of([&] { k::linear(a, Array::zeros({3}), {}); }) ==
        "linear: x must have rank 1 or more, w rank 2: x [2, 3], w [3]");
}

TEST_CASE("small products have the bits of the naive twin, in any memory order, with and without a bias") {
  Generator g(7);
  for (const Shape& size : {Shape{4, 16, 2}, Shape{4, 1, 16}, Shape{1, 16, 4}, Shape{16, 2, 4}, Shape{4, 16, 1},
                            Shape{3, 3, 50}, Shape{1, 1, 300}, Shape{1, 7, 9}, Shape{9, 3, 100}, Shape{13, 11, 5},
                            Shape{7, 8, 40}, Shape{5, 33, 20}, Shape{2, 5, 0}, Shape{1, 500, 8}, Shape{500, 1, 8}}) {
    const std::int64_t m = size[0], n = size[1], terms = size[2];
    for (int order = 0; order < 25; ++order) {
      CAPTURE(size.to_string());
      CAPTURE(order);
      const Array a = random_matrix(g, {m, terms}, order % 5), b = random_matrix(g, {terms, n}, order / 5);
      const Array bias = random_array(g, {2 * n});
      const float* const starts[] = {nullptr, bias.data<float>()};
      for (const float* start : starts) {
        Array fast = Array::full({m, n}, 5), exact = Array::full({m, n}, 5);
        const k::reference::MatrixView<const float> left{a.data<float>(), a.stride(0), a.stride(1)},
            right{b.data<float>(), b.stride(0), b.stride(1)};
        k::multiply_small(left, right, fast.data<float>(), m, n, terms, start, 2);
        k::reference::matmul<float>(left, right, {exact.data<float>(), n, 1}, m, n, terms, start, 2);
        CHECK(identical(fast, exact));
      }
    }
  }
}

TEST_CASE("a product written where it lies is the product, also over what it reads") {
  Generator g(8);
  for (const Shape& size : {Shape{3, 4, 5}, Shape{40, 50, 60}, Shape{3, 4, 0}}) {
    const Array a = random_array(g, {size[0], size[2]}), b = random_array(g, {size[2], size[1]});
    Array y = Array::full({size[0], size[1]}, 9);
    const std::uint64_t version = y.version();
    k::matmul_into(a, b, y);
    CHECK(identical(y, k::matmul(a, b)));
    CHECK(y.version() > version);
  }
  Array square = random_array(g, {6, 6});
  const Array expected = k::matmul(square, square.transpose(0, 1));
  k::matmul_into(square, square.transpose(0, 1), square);
  CHECK(identical(square, expected));
  Array y = Array::zeros({2, 2});
  CHECK_THROWS_WITH_AS(k::matmul_into(Array::zeros({2, 3}), Array::zeros({2, 2}), y),
                       "matmul_into: must be a [m, k], b [k, n] and y [m, n] in row-major order: a [2, 3], b [2, 2], "
                       "y [2, 2] with strides [2, 1]",
                       Error);
  CHECK_THROWS_WITH_AS(k::matmul_into(Array::zeros({2, 2}, DType::f64), Array::zeros({2, 2}, DType::f64), y),
                       "matmul_into: a is f64, must be f32", Error);
}
