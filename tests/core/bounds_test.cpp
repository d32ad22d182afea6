// Sizes, sums and products of sizes that no memory holds: an Error where they arise, never a wrapped number.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

#include <tandem/core/allocator.h>
#include <tandem/core/array.h>
#include <tandem/core/kernels/attention/attention.h>
#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/convolution/conv_transpose2d.h>
#include <tandem/core/kernels/move/index.h>
#include <tandem/core/kernels/pool/pool2d.h>
#include <tandem/core/kernels/pool/upsample2d.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t power_of_two(int n) { return std::int64_t{1} << n; }

}  // namespace

TEST_CASE("a shape whose elements cannot be counted is an Error") {
  CHECK(message_of([] {
          Shape({power_of_two(33), power_of_two(31)}).count();
        }) == "shape: too many elements: [8589934592, 2147483648]");
  CHECK(message_of([] {
          Shape({0, power_of_two(62), 4}).count();
        }) == "shape: too many elements: [0, 4611686018427387904, 4]");
  CHECK(Shape({kMost}).count() == kMost);
  CHECK(Shape({power_of_two(62), 0}).count() == 0);
  CHECK(Shape({-1, 4}).count() == -4);
}

TEST_CASE("an Array that no memory holds is an Error, and the counts of memory stay as they were") {
  reset_peak_memory();
  const MemoryStats before = memory_stats();
  const auto refused = [](const Shape& shape, DType dtype) { return message_of([&] { Array::empty(shape, dtype); }); };
  for (const Shape& shape : {Shape{power_of_two(33), power_of_two(31)}, Shape{power_of_two(31), power_of_two(31), 2},
                             Shape{power_of_two(32), power_of_two(32)}})
    CHECK(refused(shape, DType::u8) ==
          (shape.rank() == 3 || shape[0] > power_of_two(31) ? "shape: too many elements: " + shape.to_string() : ""));
  CHECK(refused({power_of_two(31), power_of_two(31)}, DType::f32) ==
        "array: too large: [2147483648, 2147483648] of f32");
  CHECK(refused({power_of_two(62) + 1}, DType::f32) == "array: too large: [4611686018427387905] of f32");
  CHECK(refused({power_of_two(61)}, DType::f64) == "array: too large: [2305843009213693952] of f64");
  for (const std::int64_t n : {power_of_two(60) - 1, power_of_two(59), power_of_two(57)})
    CHECK(refused({n}, DType::f64).starts_with("allocator: out of memory: " + std::to_string(8 * n) + " bytes"));
  CHECK(message_of([] { Array::zeros({power_of_two(33), power_of_two(31)}); }).starts_with("shape: too many"));
  CHECK(message_of([] { Array::full({power_of_two(61) - 1}, 1, DType::f64); }).starts_with("array: too large"));
  CHECK(message_of([] { Array::arange(power_of_two(62)); }) == "array: too large: [4611686018427387904] of i64");
  CHECK(message_of([] { Array::arange(power_of_two(55)); }).starts_with("allocator: out of memory: "));
  CHECK(message_of([] { Array::arange(-1); }) == "array: negative size: [-1]");
  CHECK(message_of([] { Array::from({}, {power_of_two(33), power_of_two(31)}); }).starts_with("shape: too many"));
  const MemoryStats after = memory_stats();
  CHECK(after.bytes_in_use == before.bytes_in_use);
  CHECK(after.peak_bytes == before.peak_bytes);
}

TEST_CASE("views of shapes that cannot be counted or are negative are Errors") {
  const Array x = Array::arange(6, DType::f32), one = Array::zeros({1, 1});
  CHECK(message_of([&] { x.reshape({power_of_two(33), power_of_two(31)}); }).starts_with("shape: too many"));
  CHECK(message_of([&] { x.reshape({-1, power_of_two(33), power_of_two(31)}); }).starts_with("shape: too many"));
  CHECK(message_of([&] { x.reshape({-2, -3}); }) == "reshape: number of elements differs: [6] to [-2, -3]");
  CHECK(message_of([&] { x.reshape({-1, -1}); }) == "reshape: number of elements differs: [6] to [-1, -1]");
  CHECK(message_of([&] { one.expand({power_of_two(33), power_of_two(31)}); }).starts_with("shape: too many"));
  CHECK(message_of([&] { x.expand({-5, 6}); }) == "expand: shapes do not fit: [6] to [-5, 6]");
  CHECK(message_of([&] { x.expand({-1, 6}); }) == "expand: shapes do not fit: [6] to [-1, 6]");
  CHECK(message_of([&] { one.expand({3, -2}); }) == "expand: shapes do not fit: [1, 1] to [3, -2]");
  CHECK(x.expand({2, -1}).shape() == Shape{2, 6});
  CHECK(Array::zeros({1, 3}).expand({-1, 3}).shape() == Shape{1, 3});
}

TEST_CASE("a slice takes any step") {
  const Array x = Array::arange(10, DType::f32);
  for (const std::int64_t step : {std::int64_t{9}, std::int64_t{10}, kMost - 1, kMost}) {
    const Array y = x.slice(0, 0, 10, step);
    CHECK(y.to_vector<float>() == (step == 9 ? std::vector<float>{0, 9} : std::vector<float>{0}));
  }
  CHECK(x.slice(0, 4, 4, kMost).size() == 0);
  CHECK(x.slice(0, 1, 10, 4).to_vector<float>() == std::vector<float>{1, 5, 9});
}

TEST_CASE("kernels refuse options and outputs that no memory holds") {
  const Array x = Array::zeros({1, 1, 4, 4}), w = Array::zeros({1, 1, 3, 3});
  CHECK(message_of([&] { k::pad(x, {0, 0, 0, kMost}, {0, 0, 0, kMost}); }).starts_with("shape: too many"));
  CHECK(message_of([&] { k::pad(x, {kMost, 0, 0, 0}, {0, 0, 0, 0}); }).starts_with("shape: too many"));
  const Array wide = Array::zeros({1}).expand({power_of_two(62)});
  CHECK(message_of([&] { k::concatenate({wide, wide, wide}, 0); }).starts_with("array: too large"));
  CHECK(
      message_of([&] { k::one_hot(Array::zeros({4}, DType::i64), power_of_two(62)); }).starts_with("shape: too many"));

  CHECK(message_of([&] { k::conv2d(x, w, {}, {.padding = power_of_two(31)}); }) ==
        "conv2d: padding is 2147483648x2147483648, must be at most 2147483647");
  CHECK(message_of([&] { k::conv2d(x, w, {}, {.padding = power_of_two(31) - 1}); }).starts_with("shape: too many"));
  CHECK(message_of([&] { k::conv2d(x, w, {}, {.stride = kMost}); }).starts_with("conv2d: stride is"));
  CHECK(message_of([&] { k::conv2d(x, w, {}, {.dilation = {1, kMost}}); }).starts_with("conv2d: dilation is"));
  CHECK(message_of([&] { k::conv2d(x, w, {}, {.groups = kMost}); }).find("groups do not divide") != std::string::npos);
  CHECK(message_of([&] { k::conv_transpose2d(x, w, {}, {.stride = kMost}); }).find("at most") != std::string::npos);
  CHECK(message_of([&] {
          k::conv_transpose2d(Array::zeros({1, 1, 2, 2}), w, {}, {.stride = power_of_two(31) - 1});
        }).starts_with("array: too large"));

  for (const Size2 kernel : {Size2(power_of_two(31)), Size2(1, power_of_two(32)), Size2(kMost, 1)}) {
    CHECK(message_of([&] { k::max_pool2d(x, {.kernel = kernel}); }).find("at most 2147483647") != std::string::npos);
    CHECK(message_of([&] { k::average_pool2d(x, {.kernel = kernel}); }).find("at most") != std::string::npos);
  }
  const Size2 large = power_of_two(31) - 1;
  CHECK(message_of([&] { k::max_pool2d(x, {.kernel = large, .padding = large.h - 1}); }).find("more than 256") !=
        std::string::npos);
  CHECK(
      k::average_pool2d(Array::full({1, 1, 4, 4}, 1), {.kernel = large, .padding = large.h - 4, .count_padding = false})
          .at({0, 0, 0, 0}) == 1);

  CHECK(message_of([&] { k::upsample2d(x, {.size = power_of_two(32)}); }) ==
        "upsample2d: size is 4294967296x4294967296, must be from 1 to 16777216: x [1, 1, 4, 4]");
  CHECK(message_of([&] { k::upsample2d(x, {.size = power_of_two(24)}); }).starts_with("allocator: out of memory"));
}

TEST_CASE("a first query beyond all keys sees all of them") {
  Generator g(1);
  const Array q = random_array(g, {1, 1, 2, 4}), kv = random_array(g, {1, 1, 3, 4});
  const Array all = k::attention(q, kv, kv, {}).y;
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Array y = k::attention(q.to(dtype), kv.to(dtype), kv.to(dtype), {.causal = true, .first_query = kMost}).y;
    CHECK(worst_error(y, all) < 1e-6);
  }
}
