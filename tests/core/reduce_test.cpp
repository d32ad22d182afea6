// Reductions: hand values, errors, accuracy, determinism, and random twins against reference/reduce.h in double.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/kernels/reference/reduce.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;
using Integers = std::vector<std::int64_t>;

namespace {

Doubles values(const Array& x) { return x.to_vector<double>(); }

// Sums or picks in double, one index at a time; reduced dims are kept.
Array naive(const Array& x, const std::vector<int>& dims, char op) {
  Shape kept = x.shape();
  for (const int d : dims) kept[d] = 1;
  Array y = Array::full(kept, op == 's' ? 0 : op == 'x' ? -INFINITY : INFINITY, DType::f64);
  k::reference::reduce<double, float>(y, x, [op](double a, double b) {
    return op == 's' ? a + b : op == 'x' ? std::max(a, b) : std::min(a, b);
  });
  return y;
}

// The bound of reduce_tiles.h, with the last rounding: 32 f32 additions and 5 to join the lanes, as a part of sum |x|.
constexpr double kSumBound = 40.0 / (1 << 24);

// The largest |got - truth| / sum |x| over the outputs; `truth` has x's rank.
double sum_error(const Array& got, const Array& truth, const Array& x) {
  Array magnitudes = Array::zeros(truth.shape(), DType::f64);
  k::reference::reduce<double, float>(magnitudes, x, [](double a, double b) { return a + std::fabs(b); });
  if (got.size() != truth.size()) return INFINITY;
  const Doubles a = values(got), b = values(truth), c = values(magnitudes);
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) worst = std::max(worst, std::fabs(a[i] - b[i]) / c[i]);
  }
  return worst;
}

std::vector<int> random_dims(Generator& g, int rank) {
  std::vector<int> dims;
  for (int d = 0; d < rank; ++d) {
    if (g.below(2) == 0) dims.push_back(g.below(2) == 0 ? d : d - rank);
  }
  return dims;
}

void check_twins(Generator& g, const Shape& shape) {
  const Array x = random_array(g, shape, random_memory(g));
  const std::vector<int> dims = random_dims(g, shape.rank());
  const std::string facts = x.shape().to_string() + " strides " + x.strides().to_string();
  CAPTURE(facts);
  const Array sum = naive(x, dims, 's');
  REQUIRE(k::sum(x, dims, true).shape() == sum.shape());
  REQUIRE(sum_error(k::sum(x, dims, true), sum, x) < kSumBound);
  REQUIRE(sum_error(k::sum(x, dims), sum, x) < kSumBound);
  REQUIRE(worst_error(k::sum(x.to(DType::f64), dims, true), sum) < 1e-12);
  if (x.size() == 0) return;
  const double scale = static_cast<double>(sum.size()) / static_cast<double>(x.size());
  Array mean = sum.clone();
  for (std::int64_t i = 0; i < mean.size(); ++i) mean.data<double>()[i] *= scale;
  REQUIRE(worst_error(k::mean(x, dims, true), mean) < 3 * kSumBound);  // values are below 3
  REQUIRE(worst_error(k::max(x, dims, true), naive(x, dims, 'x')) == 0);
  REQUIRE(worst_error(k::min(x, dims, true), naive(x, dims, 'n')) == 0);
  REQUIRE(worst_error(k::max(x.to(DType::f64), dims, true), naive(x, dims, 'x')) == 0);
  REQUIRE(sum_error(k::sum_to(x, sum.shape()), sum, x) < kSumBound);
  REQUIRE(identical(k::sum(x, all, true), k::sum_to(x, Shape::filled(x.rank(), 1))));
}

}  // namespace

TEST_CASE("reductions by hand") {
  const Array x = Array::from({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(k::sum(x).item() == 21);
  CHECK(k::sum(x).shape() == Shape{});
  CHECK(k::sum(x, all, true).shape() == Shape{1, 1});
  CHECK(values(k::sum(x, {0})) == Doubles{5, 7, 9});
  CHECK(values(k::sum(x, {1})) == Doubles{6, 15});
  CHECK(k::sum(x, {-1}, true).shape() == Shape{2, 1});
  CHECK(values(k::mean(x, {0})) == Doubles{2.5, 3.5, 4.5});
  CHECK(values(k::max(x, {1})) == Doubles{3, 6});
  CHECK(values(k::min(x, {0})) == Doubles{1, 2, 3});
  CHECK(values(k::sum_to(x, {3})) == Doubles{5, 7, 9});
  CHECK(values(k::sum_to(x, {2, 1})) == Doubles{6, 15});
  CHECK(k::sum_to(x, {}).item() == 21);
  CHECK(k::sum_to(x, {2, 3}).storage() == x.storage());
  CHECK(k::sum_of_squares(x) == 91);
  CHECK(k::sum(Array::scalar(4)).item() == 4);
}

TEST_CASE("argmax and topk by hand") {
  const Array x = Array::from({1, 5, 5, 0, -1, -2, 9, 8}, {2, 4});
  CHECK(k::argmax(x, 1).to_vector<std::int64_t>() == Integers{1, 2});
  CHECK(k::argmax(x, 0).to_vector<std::int64_t>() == Integers{0, 0, 1, 1});
  const auto [best, indices] = k::topk(x, 2, 1);
  CHECK(values(best) == Doubles{5, 5, 9, 8});
  CHECK(indices.to_vector<std::int64_t>() == Integers{1, 2, 2, 3});
  CHECK(k::topk(x, 1, 0).first.shape() == Shape{1, 4});
  CHECK(k::topk(x, 0, 0).first.shape() == Shape{0, 4});
}

TEST_CASE("NaN wins a maximum and infinities stay") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Array x = Array::full({100}, -INFINITY);
  CHECK(k::max(x).item() == -INFINITY);
  CHECK(k::min(x).item() == -INFINITY);
  x.set({77}, nan);
  CHECK(std::isnan(k::max(x).item()));
  CHECK(std::isnan(k::min(x).item()));
  CHECK(k::argmax(x, 0).item() == 77);
  CHECK(std::isnan(k::topk(x, 2, 0).first.at({0})));
}

TEST_CASE("other dtypes") {
  CHECK(k::sum(Array::from({200, 100}, {2}, DType::u8)).item() == 300);
  CHECK(k::sum(Array::from({200, 100}, {2}, DType::u8)).dtype() == DType::i64);
  CHECK(k::max(Array::from({200, 100}, {2}, DType::u8)).dtype() == DType::u8);
  CHECK(k::sum(Array::from({3, -5}, {2}, DType::i64)).item() == -2);
  CHECK(k::min(Array::from({3, -5}, {2}, DType::i64)).item() == -5);
  CHECK(k::sum(Array::from({1, 1, 0}, {3}, DType::boolean)).item() == 2);
  CHECK(k::max(Array::from({0, 1}, {2}, DType::boolean)).dtype() == DType::boolean);
  CHECK(k::sum(Array::from({-100, -100}, {2}, DType::i8)).item() == -200);
  CHECK(k::min(Array::from({-100, 7}, {2}, DType::i32)).item() == -100);
  CHECK(k::argmin(Array::from({3, -5, -5}, {3}, DType::i32), 0).item() == 1);
  CHECK(k::argmax(Array::from({3, 9, 9}, {3}, DType::f16), 0).item() == 1);
  const Array h = Array::full({300}, 1.5).to(DType::bf16);
  CHECK(k::sum(h).dtype() == DType::bf16);
  CHECK(k::sum(h).item() == 450);
  CHECK(k::sum_of_squares(h) == 675);
}

TEST_CASE("empty arrays") {
  CHECK(k::sum(Array::zeros({0})).item() == 0);
  CHECK(values(k::sum(Array::zeros({0, 2}), {0})) == Doubles{0, 0});
  CHECK(k::sum(Array::zeros({0, 2}), {1}).shape() == Shape{0});
  CHECK(std::isnan(k::mean(Array::zeros({0})).item()));
  CHECK(k::max(Array::zeros({0, 2}), {1}).shape() == Shape{0});
  CHECK(k::sum_of_squares(Array::zeros({0})) == 0);
  CHECK(message_of([] {
          k::max(Array::zeros({0, 2}), {0});
        }) == "max: there is no element to choose from: x [0, 2], dims 0");
  CHECK(message_of([] {
          k::argmax(Array::zeros({2, 0}), 1);
        }) == "argmax: there is no element to choose from: x [2, 0], dim 1");
}

TEST_CASE("errors name the kernel and the facts") {
  const Array x = Array::zeros({2, 3});
  CHECK(message_of([&] { k::sum(x, {0, -2}); }) == "sum: dim -2 is given twice: dims 0, -2");
  CHECK(message_of([&] { k::sum(Array()); }) == "sum: x is not defined");
  CHECK(message_of([&] { k::sum(x, {2}); }).starts_with("sum: "));
  CHECK(message_of([&] { k::mean(x.to(DType::i64)); }) ==
        "mean: x is i64, must be floating: x [2, 3]; convert it with to(DType::f32)");
  CHECK(message_of([&] { k::sum_to(x, {2}); }) == "sum_to: the shape does not broadcast to x's: x [2, 3], shape [2]");
  CHECK(message_of([&] { k::topk(x, 4, 1); }) == "topk: k is 4, must be in [0, 3]: x [2, 3], dim 1");
}

TEST_CASE("every reduction equals its naive twin on random shapes, memory orders and dims") {
  Generator g(21);
  for (int trial = 0; trial < 600; ++trial) check_twins(g, random_shape(g));
  for (const Shape& shape : large_shapes()) {
    for (int trial = 0; trial < 12; ++trial) check_twins(g, shape);
  }
}

TEST_CASE("a reduction of 16-bit floats is that of the same numbers in f32, rounded") {
  Generator g(26);
  for (const DType dtype : {DType::f16, DType::bf16}) {
    for (int trial = 0; trial < 200; ++trial) {
      const Shape shape = trial < 8 ? large_shapes()[static_cast<std::size_t>(trial % 4)] : random_shape(g);
      const Array x = random_array(g, shape, random_memory(g)).to(dtype), wide = x.to(DType::f32);
      const std::vector<int> dims = random_dims(g, shape.rank());
      CAPTURE(x.strides().to_string());
      REQUIRE(identical(k::sum(x, dims), k::sum(wide, dims).to(dtype)));
      if (x.size() > 0) REQUIRE(identical(k::max(x, dims), k::max(wide, dims).to(dtype)));
    }
  }
}

TEST_CASE("sums of whole numbers are exact in any memory order") {
  Generator g(27);
  for (const DType dtype : {DType::i64, DType::i32, DType::i8, DType::u8, DType::boolean}) {
    for (int trial = 0; trial < 100; ++trial) {
      const Array x = random_array(g, random_shape(g), random_memory(g)).to(dtype);
      const std::vector<int> dims = random_dims(g, x.rank());
      REQUIRE(worst_error(k::sum(x, dims, true), naive(x.to(DType::f32), dims, 's')) == 0);
    }
  }
}

TEST_CASE("bias gradients: over N, H, W in both layouts, and over rows") {
  Generator g(22);
  for (const std::int64_t channels : {1, 3, 8, 16, 37, 64, 100}) {
    for (const Memory memory : {Memory::row_major, Memory::channels_last}) {
      const Array dy = random_array(g, {8, channels, 33, 31}, memory);
      const Array truth = naive(dy, {0, 2, 3}, 's');
      CHECK(sum_error(k::sum(dy, {0, 2, 3}, true), truth, dy) < kSumBound);
      CHECK(sum_error(k::sum_to(dy, {1, channels, 1, 1}), truth, dy) < kSumBound);
      CHECK(sum_error(k::sum_to(dy, {channels, 1, 1}), truth, dy) < kSumBound);
    }
    const Array rows = random_array(g, {5000, channels});
    CHECK(sum_error(k::sum_to(rows, {channels}), naive(rows, {0}, 's'), rows) < kSumBound);
  }
  const Array wide = random_array(g, {3, 100003});  // many outputs, few rows
  CHECK(sum_error(k::sum(wide, {0}, true), naive(wide, {0}, 's'), wide) < kSumBound);
}

TEST_CASE("large sums keep their accuracy") {
  // A running f32 sum of 0.1 would be wrong in the third digit here.
  const Array x = Array::full({1 << 22}, 0.1);
  const double truth = static_cast<double>(0.1F) * (1 << 22);
  CHECK(std::fabs(k::sum(x).item() - truth) / truth < kSumBound);
  CHECK(std::fabs(k::sum(x.reshape({1 << 18, 16}), {0}).at({3}) * 16 - truth) / truth < kSumBound);
  CHECK(k::sum_of_squares(Array::full({1 << 20}, 3)) == 9.0 * (1 << 20));
  Generator g(23);
  const Array y = random_array(g, {8, 16, 33, 31}, Memory::channels_last);
  double squares = 0;
  for (const double v : values(y)) squares += v * v;
  CHECK(k::sum_of_squares(y) == doctest::Approx(squares).epsilon(1e-12));
  CHECK(k::sum_of_squares(y.slice(3, 0, 31, 2)) < squares);
}

TEST_CASE("argmax and topk equal a search in logical order") {
  Generator g(24);
  for (int trial = 0; trial < 200; ++trial) {
    const Shape shape = random_shape(g);
    if (shape.rank() == 0 || shape.count() == 0) continue;
    const Array x = random_array(g, shape, random_memory(g));
    const int d = static_cast<int>(g.below(shape.rank()));
    const Array last = x.transpose(d, -1).contiguous();
    const std::int64_t n = shape[d], k = 1 + g.below(n);
    const Integers found = k::argmax(x.transpose(d, -1), -1).to_vector<std::int64_t>();
    const auto [best, where] = k::topk(x, k, d);
    const Doubles sorted = values(best.transpose(d, -1));
    const Integers order = where.transpose(d, -1).to_vector<std::int64_t>();
    for (std::int64_t line = 0; line < last.size() / n; ++line) {
      const float* p = last.data<float>() + line * n;
      const auto at = static_cast<std::size_t>(line);
      REQUIRE(found[at] == std::max_element(p, p + n) - p);
      REQUIRE(order[at * static_cast<std::size_t>(k)] == found[at]);
      std::vector<float> all(p, p + n);
      std::sort(all.rbegin(), all.rend());
      for (std::int64_t i = 0; i < k; ++i) {
        const auto j = static_cast<std::size_t>(line * k + i);
        REQUIRE(sorted[j] == static_cast<double>(all[static_cast<std::size_t>(i)]));
        REQUIRE(static_cast<double>(p[order[j]]) == sorted[j]);
      }
    }
    REQUIRE(identical(k::argmax(x, d), k::argmax(x.contiguous(), d)));
  }
}

TEST_CASE("a fixed number of threads gives the same bits every time") {
  Generator g(25);
  const Array x = random_array(g, {8, 16, 33, 31}, Memory::channels_last);
  const Array all = k::sum(x), channels = k::sum(x, {0, 2, 3});
  for (int trial = 0; trial < 5; ++trial) {
    CHECK(identical(k::sum(x), all));
    CHECK(identical(k::sum(x, {0, 2, 3}), channels));
  }
  const int before = threads();
  for (const int team : {1, 3}) {
    set_threads(team);
    CHECK(sum_error(k::sum(x, {0, 2, 3}), naive(x, {0, 2, 3}, 's'), x) < kSumBound);
  }
  set_threads(before);
}

TEST_CASE("sums over the rows of a short matrix have the bits that a plan gives") {
  Generator g(5);
  for (const Shape& shape : {Shape{1, 2}, Shape{4, 1}, Shape{1, 1}, Shape{256, 1}, Shape{4, 16}, Shape{31, 7},
                             Shape{33, 128}, Shape{200, 65}, Shape{256, 128}}) {
    CAPTURE(shape.to_string());
    const Array x = random_array(g, shape);
    Array wide = Array::zeros({shape[0], shape[1] + 3});
    Array inside = wide.slice(1, 0, shape[1]);  // not contiguous: it goes by a plan
    inside.copy_from(x);
    CHECK(identical(k::sum(x, {0}), k::sum(inside, {0})));
    Array y = Array::full({shape[1]}, 3);
    k::sum_rows_into(x, y);
    CHECK(identical(y, k::sum(x, {0})));
    k::sum_rows_into(inside, y);
    CHECK(identical(y, k::sum(x, {0})));
  }
  Array y = Array::zeros({3});
  CHECK_THROWS_WITH_AS(k::sum_rows_into(Array::zeros({2, 4}), y),
                       "sum_rows_into: must be x [m, n] and y [n] without gaps: x [2, 4], y [3] with strides [1]",
                       Error);
}
