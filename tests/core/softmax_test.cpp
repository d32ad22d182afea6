// Softmax, log-softmax and cross-entropy: hand values, properties, errors, and random twins against
// reference/softmax.h in double.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include <tandem/core/kernels/normalise/softmax.h>
#include <tandem/core/kernels/reference/softmax.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

Doubles values(const Array& x) { return x.to_vector<double>(); }

using Rows = std::function<void(const double*, double*, std::int64_t, std::int64_t)>;

// A naive twin on rows of [rows, n] in double, along any dim.
Array naive(const Array& x, int dim, const Rows& rows) {
  const Array in = x.to(DType::f64).transpose(dim, -1).contiguous();
  Array out = Array::empty(in.shape(), DType::f64);
  if (in.size() > 0) rows(in.data<double>(), out.data<double>(), in.size() / in.shape(-1), in.shape(-1));
  return out.transpose(dim, -1);
}

Array naive_grad(const Array& dy, const Array& y, int dim,
                 void (*rows)(const double*, const double*, double*, std::int64_t, std::int64_t)) {
  const Array a = dy.to(DType::f64).transpose(dim, -1).contiguous(),
              b = y.to(DType::f64).transpose(dim, -1).contiguous();
  Array out = Array::empty(a.shape(), DType::f64);
  if (a.size() > 0) rows(a.data<double>(), b.data<double>(), out.data<double>(), a.size() / a.shape(-1), a.shape(-1));
  return out.transpose(dim, -1);
}

Array labels_of(std::initializer_list<double> list) {
  return Array::from(list, {static_cast<std::int64_t>(list.size())}, DType::i64);
}

}  // namespace

TEST_CASE("softmax by hand") {
  const Array x = Array::from({0, std::log(3.0), 5, 5}, {2, 2});
  CHECK(worst_error(k::softmax(x, 1), Array::from({0.25, 0.75, 0.5, 0.5}, {2, 2})) < 1e-7);
  CHECK(worst_error(k::log_softmax(x, -1),
                    Array::from({std::log(0.25), std::log(0.75), -std::log(2.0), -std::log(2.0)}, {2, 2})) < 1e-7);
  // dx = y (dy - sum dy y) with y = [1/4, 3/4], dy = [1, 0].
  const Array y = Array::from({0.25, 0.75}, {2}), dy = Array::from({1, 0}, {2});
  CHECK(values(k::softmax_grad(dy, y, 0)) == Doubles{0.1875, -0.1875});
  CHECK(worst_error(k::log_softmax_grad(dy, k::log_softmax(Array::from({0, std::log(3.0)}, {2}), 0), 0),
                    Array::from({0.75, -0.75}, {2})) < 1e-7);
}

TEST_CASE("softmax does not overflow, and a row with -inf gives 0 there") {
  CHECK(values(k::softmax(Array::from({1000, 1000}, {2}), 0)) == Doubles{0.5, 0.5});
  CHECK(values(k::log_softmax(Array::from({-1e30, 0}, {2}), 0)) == Doubles{static_cast<double>(-1e30F), 0});
  CHECK(values(k::softmax(Array::from({-INFINITY, 0}, {2}), 0)) == Doubles{0, 1});
  CHECK(std::isnan(k::softmax(Array::from({NAN, 0}, {2}), 0).at({1})));
}

TEST_CASE("softmax of equals is 1 / n however far from 0 they are, in f32 and f64") {
  for (const double far : {1e9, -1e9, static_cast<double>(std::numeric_limits<float>::lowest())}) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      CAPTURE(far);
      const Array x = Array::full({2, 20}, far, dtype);
      CHECK(worst_error(k::softmax(x, 1), Array::full({2, 20}, 0.05)) < 1e-7);
      CHECK(worst_error(k::log_softmax(x, 1), Array::full({2, 20}, -std::log(20.0))) < 1e-6);
    }
  }
}

TEST_CASE("cross-entropy by hand") {
  const Array x = Array::from({0, std::log(3.0), 0, 0}, {2, 2}), labels = labels_of({1, 0});
  Array log_sums;
  CHECK(k::cross_entropy(x, labels, 0, -100, &log_sums).item() ==
        doctest::Approx((-std::log(0.75) - std::log(0.5)) / 2).epsilon(1e-6));
  CHECK(worst_error(log_sums, Array::from({std::log(3.0), std::log(4.0 / 3), 0, std::log(2.0)}, {2, 2})) < 1e-6);
  const Array dx = k::cross_entropy_grad(Array::scalar(2), x, log_sums, labels, 0, -100);
  CHECK(worst_error(dx, Array::from({0.25, -0.25, -0.5, 0.5}, {2, 2})) < 1e-7);
  // Smoothing 0.2 over two classes: q = [0.1, 0.9] for label 1.
  CHECK(k::cross_entropy(x.slice(0, 0, 1), labels_of({1}), 0.2, -100, nullptr).item() ==
        doctest::Approx(-0.1 * std::log(0.25) - 0.9 * std::log(0.75)).epsilon(1e-6));
  // An ignored row counts neither in the sum nor in the mean.
  CHECK(k::cross_entropy(x, labels_of({1, -100}), 0, -100, &log_sums).item() ==
        doctest::Approx(-std::log(0.75)).epsilon(1e-6));
  CHECK(values(k::cross_entropy_grad(Array::scalar(1), x, log_sums, labels_of({1, -100}), 0, -100).slice(0, 1, 2)) ==
        Doubles{0, 0});
}

TEST_CASE("errors name row, value and shapes") {
  const Array x = Array::zeros({4, 10});
  const Array bad = labels_of({0, 1, 2, 10});
  CHECK(message_of([&] { k::cross_entropy(x, bad, 0, -100, nullptr); }) ==
        "cross_entropy: label out of range: row 3 has 10, classes are 0..9");
  CHECK(message_of([&] {
          k::cross_entropy(x, labels_of({0, -1, 2, 3}), 0, -100, nullptr);
        }) == "cross_entropy: label out of range: row 1 has -1, classes are 0..9");
  CHECK(message_of([&] {
          k::cross_entropy(x, labels_of({0, 1}), 0, -100, nullptr);
        }) == "cross_entropy: x must be [B, C] and labels [B]: x [4, 10], labels [2]");
  CHECK(message_of([&] {
          k::cross_entropy(Array::zeros({2, 2, 10}), labels_of({0, 1}), 0, -100, nullptr);
        }) ==
        "cross_entropy: x must be [B, C] and labels [B]: x [2, 2, 10], labels [2]; reshape x to [-1, C] and labels to "
        "[-1]");
  CHECK(message_of([&] {
          k::cross_entropy(x, labels_of({1, 1, 1, 1}), 0, 1, nullptr);
        }) == "cross_entropy: no row counts: all 4 labels are 1, which is ignored");
  CHECK(message_of([&] {
          k::cross_entropy(x, labels_of({1, 1, 1, 1}), 1.5, -100, nullptr);
        }) == "cross_entropy: smoothing is 1.5, must be in [0, 1]: 0 is none");
  CHECK(message_of([&] {
          k::cross_entropy_grad(Array::scalar(1), x, Array::zeros({4}), labels_of({1, 1, 1, 1}), 0, -100);
        }) == "cross_entropy_grad: log_sums must be [B, 2]: log_sums [4], x [4, 10]");
  CHECK(message_of([&] { k::cross_entropy(x, x, 0, -100, nullptr); }).starts_with("cross_entropy: labels "));
  CHECK(message_of([&] { k::softmax(Array(), 0); }) == "softmax: x is not defined");
  CHECK(message_of([&] { k::softmax(x.to(DType::i64), 0); }) ==
        "softmax: x is i64, "
        "must be floating: x [4, 10]; convert it with to(DType::f32)");
  CHECK(message_of([&] { k::softmax_grad(x, x.slice(0, 0, 2), 1); }) ==
        "softmax_grad: dy and y differ: dy f32 [4, 10], y f32 [2, 10]");
}

TEST_CASE("softmax and its kin equal their naive twins on random shapes and memory orders") {
  Generator g(41);
  const auto check = [&](const Shape& shape) {
    if (shape.rank() == 0) return;
    const int dim = static_cast<int>(g.below(shape.rank()));
    const Array x = random_array(g, shape, random_memory(g)), dy = random_array(g, shape, random_memory(g));
    CAPTURE(shape.to_string());
    const Array y = k::softmax(x, dim), log_y = k::log_softmax(x, dim);
    REQUIRE(worst_error(y, naive(x, dim, k::reference::softmax<double>)) < 1e-6);
    REQUIRE(worst_error(log_y, naive(x, dim, k::reference::log_softmax<double>)) < 1e-6);
    REQUIRE(worst_error(k::softmax_grad(dy, y, dim), naive_grad(dy, y, dim, k::reference::softmax_grad<double>)) <
            2e-6);
    REQUIRE(worst_error(k::log_softmax_grad(dy, log_y, dim),
                        naive_grad(dy, log_y, dim, k::reference::log_softmax_grad<double>)) < 2e-6);
    REQUIRE(y.layout() == x.layout());
    if (shape.count() > 10000) return;
    REQUIRE(worst_error(k::softmax(x.to(DType::f64), dim), naive(x, dim, k::reference::softmax<double>)) == 0);
    REQUIRE(k::softmax(x.to(DType::bf16), dim).dtype() == DType::bf16);
  };
  for (int trial = 0; trial < 300; ++trial) check(random_shape(g));
  for (const Shape& shape : {Shape{333, 257}, Shape{4000, 10}, Shape{3, 40000}, Shape{8, 16, 33, 31}}) check(shape);
}

TEST_CASE("cross-entropy equals its definition in double, and its gradient the quotient of differences") {
  Generator g(42);
  for (const auto& [rows, classes] : {std::pair<int, int>{1, 1}, {7, 3}, {130, 10}, {1000, 101}}) {
    for (const double smoothing : {0.0, 0.1, 1.0}) {
      const Array x = random_array(g, {rows, classes});
      Array labels = Array::empty({rows}, DType::i64);
      std::int64_t* label = labels.data<std::int64_t>();
      for (int r = 0; r < rows; ++r) label[r] = r % 5 == 3 ? -100 : g.below(classes);
      Array log_sums, log_sums_double;
      const double loss = k::cross_entropy(x, labels, smoothing, -100, &log_sums).item();
      const Array wide = x.to(DType::f64);
      const double truth = k::cross_entropy(wide, labels, smoothing, -100, &log_sums_double).item();
      const Array log_p_double = k::log_softmax(wide, 1);
      double total = 0;
      int counted = 0;
      for (int r = 0; r < rows; ++r) {
        if (label[r] == -100) continue;
        ++counted;
        for (int c = 0; c < classes; ++c) {
          const double q = (c == label[r] ? 1 - smoothing : 0) + smoothing / classes;
          total -= q * log_p_double.at({r, c});
        }
      }
      CHECK(truth == doctest::Approx(total / counted).epsilon(1e-12));
      CHECK(loss == doctest::Approx(truth).epsilon(1e-6));
      const Array dx = k::cross_entropy_grad(Array::scalar(1.5), x, log_sums, labels, smoothing, -100);
      const Array dx_double =
          k::cross_entropy_grad(Array::scalar(1.5, DType::f64), wide, log_sums_double, labels, smoothing, -100);
      CHECK(worst_error(dx, dx_double) < 1e-6);
      for (int trial = 0; trial < 10; ++trial) {
        const std::int64_t r = g.below(rows), c = g.below(classes);
        Array moved = wide.clone();
        moved.set({r, c}, wide.at({r, c}) + 1e-5);
        const double above = k::cross_entropy(moved, labels, smoothing, -100, nullptr).item();
        moved.set({r, c}, wide.at({r, c}) - 1e-5);
        const double below = k::cross_entropy(moved, labels, smoothing, -100, nullptr).item();
        CHECK(std::fabs(dx_double.at({r, c}) - 1.5 * (above - below) / 2e-5) < 1e-9);
      }
    }
  }
}
