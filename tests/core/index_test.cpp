// Kernels that move elements: hand values, layouts, errors, and random twins.
#include <doctest/doctest.h>

#include <tandem/core/kernels/move/index.h>
#include <tandem/core/kernels/reference/index.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

Doubles values(const Array& x) { return x.to_vector<double>(); }

Array random_index(Generator& g, const Shape& shape, std::int64_t size) {
  Array index = Array::empty(shape, DType::i64);
  for (std::int64_t i = 0; i < index.size(); ++i) index.data<std::int64_t>()[i] = g.below(size);
  return index;
}

Array index_of(std::initializer_list<double> list, const Shape& shape) { return Array::from(list, shape, DType::i64); }

}  // namespace

TEST_CASE("pad by hand") {
  const Array x = Array::from({1, 2, 3, 4}, {2, 2});
  CHECK(values(k::pad(x, {0, 1}, {1, 0}, 9)) == Doubles{9, 1, 2, 9, 3, 4, 9, 9, 9});
  CHECK(values(k::pad(x, {0, 0}, {0, 0})) == values(x));
  CHECK(values(k::pad(Array::zeros({0}), {1}, {1}, 3)) == Doubles{3, 3});
  CHECK(values(k::pad(Array::from({7}, {1}, DType::u8), {1}, {0}, 255)) == Doubles{255, 7});
  const Array image = Array::zeros({2, 3, 4, 5}).to_layout(Layout::channels_last);
  CHECK(k::pad(image, {0, 0, 1, 1}, {0, 0, 1, 1}).is_channels_last());
}

TEST_CASE("concatenate by hand") {
  const Array a = Array::from({1, 2, 3, 4}, {2, 2}), b = Array::from({5, 6}, {2, 1});
  CHECK(values(k::concatenate({a, b}, 1)) == Doubles{1, 2, 5, 3, 4, 6});
  CHECK(values(k::concatenate({a, a.slice(0, 0, 1)}, -2)) == Doubles{1, 2, 3, 4, 1, 2});
  CHECK(values(k::concatenate({a, Array::zeros({2, 0}), b}, 1)) == Doubles{1, 2, 5, 3, 4, 6});
  const Array image = Array::zeros({2, 3, 4, 5}).to_layout(Layout::channels_last);
  CHECK(k::concatenate({image, image}, 1).is_channels_last());
  CHECK(k::concatenate({Array::zeros({2, 1, 4, 5}), image}, 1).is_channels_last());
}

TEST_CASE("gather and its transpose by hand") {
  const Array x = Array::from({1, 2, 3, 4, 5, 6}, {2, 3}), index = index_of({2, 0, 1, 1}, {2, 2});
  CHECK(values(k::gather(x, 1, index)) == Doubles{3, 1, 5, 5});
  CHECK(values(k::gather(x, 0, index_of({1, 0, 1}, {1, 3}))) == Doubles{4, 2, 6});
  CHECK(values(k::gather_grad(Array::from({1, 2, 3, 4}, {2, 2}), 1, index, {2, 3})) == Doubles{2, 0, 1, 0, 7, 0});
}

TEST_CASE("take_rows and its transpose by hand") {
  const Array table = Array::from({1, 2, 3, 4, 5, 6}, {3, 2}), index = index_of({2, 0, 2}, {3});
  CHECK(values(k::take_rows(table, index)) == Doubles{5, 6, 1, 2, 5, 6});
  CHECK(k::take_rows(table, index_of({0, 1, 2, 0}, {2, 2})).shape() == Shape{2, 2, 2});
  const Array dy = Array::from({1, 1, 2, 2, 3, 3}, {3, 2});
  CHECK(values(k::take_rows_grad(dy, index, {3, 2})) == Doubles{2, 2, 0, 0, 4, 4});
  CHECK(k::take_rows(table, Array::zeros({0}, DType::i64)).shape() == Shape{0, 2});
}

TEST_CASE("slice_grad and one_hot by hand") {
  CHECK(values(k::slice_grad(Array::from({1, 2}, {2}), {5}, 0, 1, 5, 2)) == Doubles{0, 1, 0, 2, 0});
  CHECK(values(k::one_hot(index_of({2, 0}, {2}), 3)) == Doubles{0, 0, 1, 1, 0, 0});
  CHECK(k::one_hot(index_of({2, 0}, {2}), 3, DType::f64).dtype() == DType::f64);
}

TEST_CASE("errors name position, value and shapes") {
  const Array x = Array::zeros({2, 3});
  CHECK(message_of([&] {
          k::gather(x, 1, index_of({0, 1, 2, 3}, {2, 2}));
        }) == "gather: index out of range: index[1, 1] is 3, valid are 0..2");
  CHECK(message_of([&] {
          k::gather(x, 1, index_of({0, 0, 0}, {3, 1}));
        }) == "gather: the shape of index does not fit: x [2, 3], index [3, 1], dim 1");
  CHECK(message_of([&] {
          k::take_rows(x, index_of({0, -1}, {2}));
        }) == "take_rows: index out of range: index[1] is -1, valid are 0..1");
  CHECK(message_of([&] {
          k::take_rows_grad(x, index_of({0}, {1}), {4, 3});
        }) == "take_rows_grad: the shape of dy does not fit: dy [2, 3], index [1], table [4, 3]");
  CHECK(message_of([&] {
          k::gather_grad(x, 1, index_of({0, 0}, {2, 1}), {2, 3});
        }) == "gather_grad: shapes differ: dy [2, 3], index [2, 1]");
  CHECK(message_of([&] {
          k::pad(x, {1}, {1, 1});
        }) == "pad: before and after need one number >= 0 for each dim: x [2, 3], before [1], after [1, 1]");
  CHECK(message_of([&] { k::concatenate({}, 0); }) == "concatenate: needs at least one array: none given");
  CHECK(message_of([&] {
          k::concatenate({x, Array::zeros({3, 3})}, 1);
        }) == "concatenate: shapes differ outside of dim 1: array 0 [2, 3], array 1 [3, 3]");
  CHECK(message_of([&] {
          k::concatenate({x, Array::zeros({2, 3}, DType::i64)}, 1);
        }) == "concatenate: dtypes differ: array 0 is f32, array 1 is i64");
  CHECK(message_of([&] {
          k::slice_grad(x, {2, 5}, 1, 0, 4, 1);
        }) == "slice_grad: the shape of dy does not fit: dy [2, 3], slice [2, 4]");
  CHECK(message_of([&] {
          k::one_hot(index_of({0, 10}, {2}), 10);
        }) == "one_hot: label out of range: row 1 has 10, classes are 0..9");
}

TEST_CASE("pad, concatenate and slice_grad keep every element on random shapes and memory orders") {
  Generator g(31);
  for (int trial = 0; trial < 200; ++trial) {
    const Shape shape = random_shape(g);
    if (shape.rank() == 0) continue;
    const Array x = random_array(g, shape, random_memory(g));
    std::vector<std::int64_t> before, after;
    for (int d = 0; d < shape.rank(); ++d) {
      before.push_back(g.below(3));
      after.push_back(g.below(3));
    }
    const Array padded = k::pad(x, before, after, 7);
    Array inside = padded;
    double total = 0;
    for (const double v : values(padded)) total += v == 7 ? 1 : 0;
    for (int d = 0; d < shape.rank(); ++d) {
      const std::int64_t begin = before[static_cast<std::size_t>(d)];
      inside = inside.slice(d, begin, begin + shape[d]);
    }
    REQUIRE(worst_error(inside, x) == 0);
    REQUIRE(total == static_cast<double>(padded.size() - x.size()));

    const int dim = static_cast<int>(g.below(shape.rank()));
    const Array joined = k::concatenate({x, x, x}, dim);
    for (std::int64_t i = 0; i < 3; ++i) {
      REQUIRE(worst_error(joined.slice(dim, i * shape[dim], (i + 1) * shape[dim]), x) == 0);
    }

    Shape wide = shape;
    wide[dim] = 2 * shape[dim] + 3;
    const Array spread = k::slice_grad(x, wide, dim, 1, 2 * shape[dim] + 1, 2);
    REQUIRE(worst_error(spread.slice(dim, 1, 2 * shape[dim] + 1, 2), x) == 0);
    double sum = 0, truth = 0;
    for (const double v : values(spread)) sum += v;
    for (const double v : values(x)) truth += v;
    REQUIRE(sum == doctest::Approx(truth));
  }
}

TEST_CASE("gather equals its naive twin, and gather_grad is its transpose") {
  Generator g(32);
  for (int trial = 0; trial < 200; ++trial) {
    const Shape shape = random_shape(g);
    if (shape.rank() == 0 || shape.count() == 0) continue;
    const int dim = static_cast<int>(g.below(shape.rank()));
    Shape index_shape = shape;
    index_shape[dim] = g.below(6);
    const Array x = random_array(g, shape, random_memory(g)), index = random_index(g, index_shape, shape[dim]);
    Array truth = Array::empty(index_shape);
    k::reference::gather<float>(truth, x, dim, index);
    const Array y = k::gather(x, dim, index);
    REQUIRE(worst_error(y, truth) == 0);
    REQUIRE(worst_error(k::gather(x.to(DType::f64), dim, index), truth) == 0);
    // <dy, gather(x)> = <gather_grad(dy), x>.
    const Array dy = random_array(g, index_shape, random_memory(g));
    const Doubles a = values(dy), b = values(y), c = values(k::gather_grad(dy, dim, index, shape)), d = values(x);
    double left = 0, right = 0;
    for (std::size_t i = 0; i < a.size(); ++i) left += a[i] * b[i];
    for (std::size_t i = 0; i < c.size(); ++i) right += c[i] * d[i];
    REQUIRE(left == doctest::Approx(right).epsilon(1e-4));
  }
}

TEST_CASE("take_rows and its transpose equal their naive twins, for any number of threads") {
  Generator g(33);
  const int before = threads();
  for (const Shape& table : {Shape{5, 3}, Shape{50, 257}, Shape{7, 2, 33}}) {
    const Array x = random_array(g, table), index = random_index(g, {41, 29}, table[0]);
    const Array y = k::take_rows(x, index);
    const std::int64_t n = x.size() / table[0];
    const Array rows = y.reshape({index.size(), n}), flat = x.reshape({table[0], n});
    for (std::int64_t j = 0; j < index.size(); ++j) {
      REQUIRE(identical(rows.select(0, j), flat.select(0, index.data<std::int64_t>()[j])));
    }
    const Array dy = random_array(g, y.shape());
    const Array wide = dy.to(DType::f64);
    Array truth = Array::zeros(table, DType::f64);
    k::reference::take_rows_add(truth.data<double>(), wide.data<double>(), index.data<std::int64_t>(), index.size(), n);
    const Array first = k::take_rows_grad(dy, index, table);
    CHECK(worst_error(first, truth) < 1e-5);
    for (const int team : {1, 2, 3}) {
      set_threads(team);
      CHECK(identical(k::take_rows_grad(dy, index, table), first));
    }
    set_threads(before);
    CHECK(identical(k::take_rows_grad(wide, index, table), truth));
  }
}

TEST_CASE("take_rows_grad: a row that is named very often keeps the last digits") {
  for (const std::int64_t n : {3, 300}) {
    const std::int64_t count = 40000;
    const Array index = Array::zeros({count}, DType::i64);
    const Array dy = Array::full({count, n}, 0.1);
    const double exact = static_cast<double>(0.1F) * static_cast<double>(count);
    CHECK(std::abs(k::take_rows_grad(dy, index, {5, n}).at({0, n - 1}) - exact) < 2e-3);  // 4000: sums of 32 round
  }
}
