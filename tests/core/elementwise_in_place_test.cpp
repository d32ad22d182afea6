// Elementwise kernels that write into their argument, and the search for elements that are not finite.
// The others are in elementwise_test.cpp.
#include <doctest/doctest.h>

#include <limits>

#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

TEST_CASE("in-place kernels write into views and mark the change") {
  Generator g(14);
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    Array whole = random_array(g, {6, 5, 4}).to(dtype);
    const Array before = whole.clone();
    Array part = whole.slice(0, 1, 5, 2).transpose(0, 2);
    const Array x = random_array(g, part.shape(), Memory::transposed).to(dtype);
    const auto version = whole.version();
    k::add_into(part, x);
    CHECK(whole.version() == version + 1);
    CHECK(worst_error(part, k::add(before.slice(0, 1, 5, 2).transpose(0, 2), x)) == 0);
    CHECK(identical(whole.slice(0, 0, 1), before.slice(0, 0, 1)));
    k::scale_into(part, 0.5);
    CHECK(whole.version() == version + 2);
    CHECK(identical(whole.slice(0, 2, 3), before.slice(0, 2, 3)));
  }
  for (const Shape& shape : large_shapes()) {
    Array y = random_array(g, shape, Memory::channels_last);
    const Array x = random_array(g, shape), sum = k::add(y, x);
    k::add_into(y, x);
    CHECK(worst_error(y, sum) == 0);
    k::scale_into(y, 3);
    CHECK(worst_error(y, k::multiply(sum, 3)) == 0);
  }
}

TEST_CASE("all_finite finds one bad element anywhere") {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity(),
                     kNaN = std::numeric_limits<double>::quiet_NaN();
    Array x = Array::full({100003}, 1e30).to(dtype);
    CHECK(k::all_finite(x));
    for (const std::int64_t at : {std::int64_t{0}, std::int64_t{50001}, std::int64_t{100002}}) {
      for (const double bad : {kInfinity, -kInfinity, kNaN}) {
        x.set({at}, bad);
        CHECK_FALSE(k::all_finite(x));
        x.set({at}, 0);
      }
    }
    x.set({3}, kNaN);
    CHECK(k::all_finite(x.slice(0, 0, 9, 2)));
    CHECK_FALSE(k::all_finite(x.slice(0, 1, 9, 2)));
  }
  CHECK(k::all_finite(Array::zeros({0})));
  CHECK(k::all_finite(Array::zeros({2}, DType::i64)));
}
