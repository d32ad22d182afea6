// Writing in place where what is written and what is read share memory, and views that show a number more than once.
#include <doctest/doctest.h>

#include <tandem/core/generator.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/overlap.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

TEST_CASE("copies between overlapping views read everything before they write") {
  for (const DType dtype : {DType::f32, DType::f64, DType::i64, DType::u8, DType::bf16}) {
    Array m = Array::from({1, 2, 3, 4}, {2, 2}, dtype);
    m.copy_from(m.transpose(0, 1));
    CHECK(m.to_vector<double>() == Doubles{1, 3, 2, 4});
    Array up = Array::arange(6).to(dtype), down = Array::arange(6).to(dtype);
    up.slice(0, 1, 6).copy_from(up.slice(0, 0, 5));
    CHECK(up.to_vector<double>() == Doubles{0, 0, 1, 2, 3, 4});
    down.slice(0, 0, 5).copy_from(down.slice(0, 1, 6));
    CHECK(down.to_vector<double>() == Doubles{1, 2, 3, 4, 5, 5});
    Array same = Array::arange(6).to(dtype);
    same.copy_from(same);
    CHECK(same.to_vector<double>() == Doubles{0, 1, 2, 3, 4, 5});
  }
}

TEST_CASE("add_into with overlapping views adds what was there before") {
  for (const DType dtype : {DType::f32, DType::f64, DType::i64}) {
    Array n = Array::from({1, 2, 3, 4}, {2, 2}, dtype);
    k::add_into(n, n.transpose(0, 1));
    CHECK(n.to_vector<double>() == Doubles{2, 5, 5, 8});
    k::add_into(n, n);
    CHECK(n.to_vector<double>() == Doubles{4, 10, 10, 16});
    Array line = Array::from({1, 1, 1, 1}, {4}, dtype);
    Array tail = line.slice(0, 1, 4);
    k::add_into(tail, line.slice(0, 0, 3));
    CHECK(line.to_vector<double>() == Doubles{1, 2, 2, 2});
  }
}

TEST_CASE("a view that shows a number more than once cannot be written") {
  Array y = Array::zeros({1}).expand({4});
  const Array x = Array::from({1, 2, 3, 4}, {4});
  const std::string facts =
      " shows a number more than once and cannot be written: shape [4], strides [0]; write into a clone() of it";
  CHECK(message_of([&] { y.copy_from(x); }) == "copy_from: the Array" + facts);
  CHECK(message_of([&] { y.fill(1); }) == "fill: the Array" + facts);
  CHECK(message_of([&] { k::add_into(y, x); }) == "add_into: y" + facts);
  CHECK(message_of([&] { k::scale_into(y, 0.5); }) == "scale_into: y" + facts);
  Generator g(1);
  CHECK(message_of([&] { g.fill_uniform(y); }) == "copy_from: the Array" + facts);
  CHECK(y.to_vector<double>() == Doubles{0, 0, 0, 0});
  Array one = Array::zeros({1}).expand({1});
  one.fill(3);
  CHECK(one.item() == 3);
}

TEST_CASE("which views overlap") {
  const Array x = Array::zeros({4, 4});
  CHECK(overlaps(x, x.transpose(0, 1)));
  CHECK(overlaps(x.slice(0, 0, 2), x.slice(0, 1, 3)));
  CHECK_FALSE(overlaps(x.slice(0, 0, 2), x.slice(0, 2, 4)));
  CHECK_FALSE(overlaps(x, Array::zeros({4, 4})));
  CHECK_FALSE(overlaps(x, x.slice(0, 2, 2)));
  CHECK(is_same_view(x, x.slice(0, 0, 4)));
  CHECK_FALSE(is_same_view(x, x.transpose(0, 1)));
}
