// Integers: arithmetic that wraps as PyTorch's does, powers, and conversions that are defined for every number.
#include <doctest/doctest.h>

#include <limits>

#include <tandem/core/convert.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Integers = std::vector<std::int64_t>;

namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(),
                       kMost = std::numeric_limits<std::int64_t>::max();

Array whole(const Integers& values) { return Array::from(values, {static_cast<std::int64_t>(values.size())}); }
Integers integers(const Array& x) { return x.to_vector<std::int64_t>(); }

}  // namespace

TEST_CASE("sums, differences and products of i64 wrap") {
  const Array a = whole({kMost, kLeast, 3}), b = whole({1, -1, 4});
  CHECK(integers(k::add(a, b)) == Integers{kLeast, kMost, 7});
  CHECK(integers(k::add(a, 1)) == Integers{kLeast, kLeast + 1, 4});
  CHECK(integers(k::subtract(b, a)) == Integers{2 - kMost - 1, kMost, 1});
  CHECK(integers(k::multiply(a, whole({2, 2, 2}))) == Integers{-2, 0, 6});
  CHECK(integers(k::multiply(a, 2)) == Integers{-2, 0, 6});
  CHECK(integers(k::negate(a)) == Integers{-kMost, kLeast, -3});
  CHECK(integers(k::absolute(a)) == Integers{kMost, kLeast, 3});
  CHECK(integers(k::square(a)) == Integers{1, 0, 9});
  CHECK(integers(k::sum(whole({kMost, 1, 5}))) == Integers{kLeast + 5});
  Array y = a.clone();
  k::add_into(y, b);
  CHECK(integers(y) == Integers{kLeast, kMost, 7});
  k::scale_into(y, 2);
  CHECK(integers(y) == Integers{0, -2, 14});
}

TEST_CASE("bytes wrap modulo 256") {
  const Array a = Array::from({200, 255, 3}, {3}, DType::u8), b = Array::from({100, 2, 5}, {3}, DType::u8);
  CHECK(integers(k::add(a, b)) == Integers{44, 1, 8});
  CHECK(integers(k::subtract(b, a)) == Integers{156, 3, 2});
  CHECK(integers(k::multiply(a, b)) == Integers{32, 254, 15});
  CHECK(integers(k::negate(a)) == Integers{56, 1, 253});
  CHECK(k::sum(a).item() == 458);
}

TEST_CASE("powers of integers are exact modulo 2^64") {
  const Array x = whole({3, -3, 2, 1, -1});
  CHECK(integers(k::power(x, 39)) == Integers{4052555153018976267, -4052555153018976267, 549755813888, 1, -1});
  CHECK(integers(k::power(whole({3}), 40)) == Integers{-6289078614652622815});  // 3^40 - 2^64
  CHECK(integers(k::power(x, 0)) == Integers{1, 1, 1, 1, 1});
  CHECK(integers(k::power(x, 3)) == Integers{27, -27, 8, 1, -1});
  CHECK(integers(k::power(x, -1)) == Integers{0, 0, 0, 1, -1});
  CHECK(integers(k::power(x, -2)) == Integers{0, 0, 0, 1, 1});
  CHECK(integers(k::power(x, whole({2, 3, 10, -5, -3}))) == Integers{9, -27, 1024, 1, -1});
  CHECK(message_of([] { k::power(whole({1, 0}), -2); }) == "power: 0 to a negative power: dtype i64");
  CHECK(message_of([] { k::power(whole({0}), whole({-1})); }) == "power: 0 to a negative power: dtype i64");
  CHECK(message_of([] { k::power(whole({0}), -1); }) == "power: 0 to a negative power: dtype i64");
}

TEST_CASE("floats become integers as PyTorch makes them, in every memory order") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> values{-1, 300, 1e20, std::numeric_limits<double>::quiet_NaN(), -1.9, 2.9, -kInfinity, 256};
  const Integers wide{-1, 300, kLeast, kLeast, -1, 2, kLeast, 256}, bytes{255, 44, 0, 0, 255, 2, 0, 0};
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Array x = Array::from(values, {8}).to(dtype);
    for (const Array& view : {x, x.reshape({2, 4}).transpose(0, 1).contiguous().transpose(0, 1).reshape({8})}) {
      CHECK(integers(view.to(DType::i64)) == wide);
      CHECK(integers(view.to(DType::u8)) == bytes);
    }
    Array spread = Array::zeros({16}, dtype);
    spread.slice(0, 0, 16, 2).copy_from(x);
    CHECK(integers(spread.slice(0, 0, 16, 2).to(DType::u8)) == bytes);
  }
  CHECK(integers(Array::full({2}, 300, DType::u8)) == Integers{44, 44});
  CHECK(integers(Array::full({2}, -1, DType::u8)) == Integers{255, 255});
  CHECK(convert_number<std::int64_t>(0x1p63) == kLeast);
  CHECK(convert_number<std::int64_t>(-0x1p63) == kLeast);
  CHECK(convert_number<std::int64_t>(std::nextafter(0x1p63, 0)) == 0x7ffffffffffffc00);
}
