// Group normalisation: hand values, statistics that do not cancel, and both passes against the naive twin in double.
#include <doctest/doctest.h>

#include <tandem/core/kernels/normalise/batch_norm.h>
#include <tandem/core/kernels/normalise/group_norm.h>
#include <tandem/core/kernels/reference/group_norm.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

struct Problem {
  Shape x;
  std::int64_t groups;
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> list{{{4, 16, 5, 5}, 4},  {{2, 3, 7, 7}, 1},    {{1, 8, 4, 4}, 8},
                                         {{3, 19, 6, 2}, 19}, {{3, 40, 3, 1}, 5},   {{32, 16, 32, 32}, 2},
                                         {{4, 24, 9, 9}, 3},  {{2, 512, 2, 2}, 32}, {{5, 6, 7}, 2},
                                         {{7, 16}, 2},        {{2, 4, 3, 2, 5}, 2}};
  return list;
}

Array wide(const Array& x) { return x.to(DType::f64); }

}  // namespace

TEST_CASE("group_norm: hand values") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    // Groups {1, 3 | 5, 7} and {10, 30}: means 4 and 20, variances 5 and 100.
    const Array x = Array::from({1, 3, 5, 7, 10, 10, 30, 30}, {1, 4, 2}, dtype);
    const Array w = Array::from({1, 2, 1, 1}, {4}, dtype), b = Array::from({0, 0, 5, 5}, {4}, dtype);
    const k::GroupNormForward f = k::group_norm(x, 2, w, b, 1e-30);
    CHECK(f.mean.to_vector<double>() == Doubles{4, 20});
    CHECK(f.inverse_deviation.at({0, 1}) == doctest::Approx(0.1));
    const double r = 1 / std::sqrt(5.0);
    CHECK(worst_error(f.y, Array::from({-3 * r, -r, 2 * r, 6 * r, 4, 4, 6, 6}, {1, 4, 2})) < 1e-6);
    const Array dy = Array::from({1, 0, 0, 0, 1, 1, 1, 1}, {1, 4, 2}, dtype);
    const k::GroupNormGrads grads = k::group_norm_grad(dy, x, w, f.mean, f.inverse_deviation);
    CHECK(grads.db.to_vector<double>() == Doubles{1, 0, 2, 2});
    CHECK(worst_error(grads.dw, Array::from({-3 * r, 0, -2, 2}, {4})) < 1e-6);
    // dx = r (dy - 1/4 - xhat (-3 r) / 4): r (1 - .25 - .45), r (-.25 - .15), r (-.25 + .15), r (-.25 + .45)
    CHECK(worst_error(grads.dx, Array::from({.3 * r, -.4 * r, -.1 * r, .2 * r, 0, 0, 0, 0}, {1, 4, 2})) < 1e-6);
  }
}

TEST_CASE("group_norm: both passes equal the naive twin, in every memory order") {
  Generator g(1);
  for (const Problem& p : problems())
    for (const Memory memory : {Memory::row_major, Memory::channels_last, Memory::sliced}) {
      CAPTURE(p.x.to_string());
      CAPTURE(static_cast<int>(memory));
      const Array x = random_array(g, p.x, memory), dy = random_array(g, p.x, memory);
      const Array w = random_array(g, {p.x[1]}, memory), b = random_array(g, {p.x[1]}, memory);
      const k::GroupNormForward fast = k::group_norm(x, p.groups, w, b, 1e-5);
      const k::GroupNormForward truth = k::group_norm(wide(x), p.groups, wide(w), wide(b), 1e-5);
      CHECK(fast.y.shape() == p.x);
      CHECK(worst_error(fast.y, truth.y) < 3e-6);
      CHECK(worst_error(fast.mean, truth.mean) < 1e-6);
      CHECK(worst_error(fast.inverse_deviation, truth.inverse_deviation) < 1e-6);
      const k::GroupNormGrads grads = k::group_norm_grad(dy, x, w, fast.mean, fast.inverse_deviation);
      const k::GroupNormGrads exact =
          k::group_norm_grad(wide(dy), wide(x), wide(w), truth.mean, truth.inverse_deviation);
      CHECK(worst_error(grads.dx, exact.dx) < 1e-5);
      const double terms = static_cast<double>(x.size() / p.x[1]);
      CHECK(worst_error(grads.dw, exact.dw) < 1e-6 * std::sqrt(terms));
      CHECK(worst_error(grads.db, exact.db) < 1e-6 * std::sqrt(terms));
    }
}

TEST_CASE("group_norm: with one image and a group a channel it is batch_norm") {
  Generator g(2);
  const Array x = random_array(g, {1, 6, 5, 7}), w = random_array(g, {6}), b = random_array(g, {6});
  CHECK(worst_error(k::group_norm(x, 6, w, b, 1e-5).y, k::batch_norm_train(x, w, b, 1e-5, false).y) < 2e-6);
}

TEST_CASE("group_norm: a large mean does not cancel") {
  Generator g(3);
  Array x = Array::empty({2, 8, 16, 16}, DType::f32, Layout::channels_last);
  g.fill_normal(x, 1000, 1);
  const Array one = Array::full({8}, 1), zero = Array::zeros({8});
  const k::GroupNormForward f = k::group_norm(x, 2, one, zero, 1e-5);
  const k::GroupNormForward t = k::group_norm(wide(x), 2, wide(one), wide(zero), 1e-5);
  for (const std::int64_t n : {0, 1})
    for (const std::int64_t group : {0, 1}) {
      CHECK(f.mean.at({n, group}) == doctest::Approx(t.mean.at({n, group})).epsilon(5e-7));
      CHECK(f.inverse_deviation.at({n, group}) == doctest::Approx(t.inverse_deviation.at({n, group})).epsilon(1e-4));
    }
}

TEST_CASE("group_norm: the number of threads changes no bit") {
  Generator g(4);
  const int before = threads();
  const Array x = random_array(g, {8, 32, 12, 12}, Memory::channels_last), dy = random_array(g, x.shape());
  const Array w = random_array(g, {32}), b = random_array(g, {32});
  set_threads(1);
  const k::GroupNormForward one = k::group_norm(x, 8, w, b, 1e-5);
  const k::GroupNormGrads grads = k::group_norm_grad(dy, x, w, one.mean, one.inverse_deviation);
  for (const int n : {2, 3}) {
    set_threads(n);
    CHECK(identical(k::group_norm(x, 8, w, b, 1e-5).y, one.y));
    const k::GroupNormGrads again = k::group_norm_grad(dy, x, w, one.mean, one.inverse_deviation);
    CHECK(identical(again.dx, grads.dx));
    CHECK(identical(again.dw, grads.dw));
  }
  set_threads(before);
}

TEST_CASE("group_norm: bf16, errors") {
  const Array x = Array::full({2, 6, 3, 3}, 1), w = Array::full({6}, 1);
  const auto bf16 = [](const Array& a) { return a.to(DType::bf16); };
  const k::GroupNormForward f = k::group_norm(bf16(x), 2, bf16(w), bf16(w), 1e-5);
  CHECK(identical(f.y, bf16(x)));
  CHECK(k::group_norm_grad(bf16(x), bf16(x), bf16(w), f.mean, f.inverse_deviation).dx.dtype() == DType::bf16);
  CHECK(message_of([&] { k::group_norm(x, 4, w, w, 1e-5); }) ==
        "group_norm: 4 groups do not divide 6 channels: x [2, 6, 3, 3]");
  CHECK(message_of([&] { k::group_norm(x, 2, w, Array::zeros({5}), 1e-5); }) ==
        "group_norm: b is [5], must be [6]: x [2, 6, 3, 3]");
  CHECK(message_of([&] { k::group_norm(x, 2, w, w, 0); }) == "group_norm: epsilon is 0, must be positive");
  CHECK(message_of([&] { k::group_norm(Array::zeros({6}), 2, w, w, 1); }) ==
        "group_norm: x is [6], must be [N, C, ...] and not empty");
  CHECK(message_of([&] { k::group_norm(x.to(DType::i64), 2, w, w, 1); }) ==
        "group_norm: x is i64, must be floating: x [2, 6, 3, 3]; convert it with to(DType::f32)");
  CHECK(message_of([&] {
          k::group_norm_grad(Array::zeros({2, 6}), x, w, Array::zeros({2, 2}), Array::zeros({2, 2}));
        }) == "group_norm_grad: dy is [2, 6], must be [2, 6, 3, 3]: x [2, 6, 3, 3]");
}

TEST_CASE("group_norm: statistics of bf16 are f32") {
  const Array x = Array::from({100, 100, 100, 101}, {1, 1, 4}, DType::bf16), one = Array::full({1}, 1, DType::bf16);
  const k::GroupNormForward f = k::group_norm(x, 1, one, one, 1e-5);
  CHECK(f.mean.dtype() == DType::f32);
  CHECK(f.mean.item() == 100.25);
  const k::GroupNormGrads d =
      k::group_norm_grad(Array::full({1, 1, 4}, 1, DType::bf16), x, one, f.mean, f.inverse_deviation);
  CHECK(std::abs(d.dw.item()) < 1e-6);  // the sum of xhat
  CHECK(d.dw.dtype() == DType::bf16);
}

TEST_CASE("group_norm: a mean of 300 deviations costs no more digits than its own rounding") {
  Generator g(71);
  Array x = Array::empty({2, 4, 40, 30}, DType::f64);
  g.fill_normal(x, 300, 1);
  x = x.to(DType::f32);
  const Array w = Array::full({4}, 1), b = Array::zeros({4});
  const k::GroupNormForward f = k::group_norm(x, 2, w, b, 1e-5), t = k::group_norm(wide(x), 2, wide(w), wide(b), 1e-5);
  CHECK(worst_error(f.mean, t.mean) < 1.6e-5);  // half a unit of 300 is 1.5e-5
  CHECK(worst_error(f.inverse_deviation, t.inverse_deviation) < 1e-6);
}
