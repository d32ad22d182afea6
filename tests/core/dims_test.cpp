// Dims: `all` and lists of dims, of which an empty one reduces nothing. Their errors: reduce_test.cpp.
#include <doctest/doctest.h>

#include <type_traits>
#include <vector>

#include <tandem/core/dims.h>
#include <tandem/core/kernels/reduce/reduce.h>

using namespace tandem;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

TEST_CASE("an empty list of dims reduces nothing, also one that a program computes; all has to be said") {
  const Array x = Array::from({1, -2, 3, 4, 5, 6}, {2, 3}), scalar = Array::scalar(7);
  const std::vector<int> none;
  for (const Array& y : {k::sum(x, {}), k::sum(x, none), k::mean(x, none), k::max(x, {}), k::min(x, none, true)}) {
    CHECK(identical(y, x));
    CHECK(y.storage() != x.storage());
  }
  CHECK(identical(k::sum(scalar, {}), scalar));
  CHECK(k::sum(x, all).item() == 17);
  CHECK(k::mean(x, all, true).shape() == Shape{1, 1});
  CHECK(identical(k::sum(x.to(DType::i8), {}), x.to(DType::i64)));
  CHECK(k::max(Array::zeros({0, 3}), {}).shape() == Shape{0, 3});
  CHECK(k::sum(x.transpose(0, 1), {}).to_vector<double>() == Doubles{1, 4, -2, 5, 3, 6});
  CHECK(Dims(all).to_string() == "all");
  CHECK(Dims{0, -1}.to_string() == "0, -1");
  static_assert(!std::is_convertible_v<int, Dims>);
}
