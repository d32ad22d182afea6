// Batch normalisation: hand values, statistics that do not cancel, and every kernel against its naive twin in double.
#include <doctest/doctest.h>

#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/normalise/batch_norm.h>
#include <tandem/core/kernels/reference/batch_norm.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> list{{4, 16, 5, 5},    {2, 3, 7, 7},   {1, 8, 4, 4},   {5, 1, 3, 3}, {6, 40, 1, 1},
                                       {3, 19, 6, 2},    {64, 10},       {7, 16},        {33, 1},      {2, 512, 2, 2},
                                       {32, 16, 32, 32}, {16, 24, 9, 9}, {4, 2000, 3, 3}};
  return list;
}
constexpr Memory kOrders[] = {Memory::row_major, Memory::channels_last, Memory::sliced};

Array wide(const Array& x) { return x.defined() ? x.to(DType::f64) : x; }

}  // namespace

TEST_CASE("batch_norm: hand values") {
  const Array x = Array::from({1, 10, 3, 30}, {2, 2}), w = Array::from({1, 2}, {2}), b = Array::from({0, 5}, {2});
  for (const DType dtype : {DType::f32, DType::f64}) {
    const auto f = k::batch_norm_train(x.to(dtype), w.to(dtype), b.to(dtype), 0, false);
    CHECK(f.mean.to_vector<double>() == Doubles{2, 20});
    CHECK(f.variance.to_vector<double>() == Doubles{1, 100});
    CHECK(f.inverse_deviation.at({0}) == 1);
    CHECK(f.inverse_deviation.at({1}) == doctest::Approx(0.1));
    CHECK(worst_error(f.y, Array::from({-1, 3, 1, 7}, {2, 2})) < 1e-6);
    CHECK(worst_error(k::batch_norm_train(x.to(dtype), w.to(dtype), b.to(dtype), 0, true).y,
                      Array::from({0, 3, 1, 7}, {2, 2})) < 1e-6);
    const Array dy = Array::from({1, 0, 0, 0}, {2, 2}).to(dtype);
    const auto grads = k::batch_norm_train_grad(dy, x.to(dtype), w.to(dtype), f.mean, f.inverse_deviation, {});
    CHECK(grads.db.to_vector<double>() == Doubles{1, 0});
    CHECK(grads.dw.to_vector<double>() == Doubles{-1, 0});
    CHECK(worst_error(grads.dx, Array::zeros({2, 2})) < 1e-7);
    CHECK(!grads.dadd.defined());
    CHECK(worst_error(k::batch_norm_evaluate(x.to(dtype), w.to(dtype), b.to(dtype), f.mean, f.variance, 0, false),
                      f.y) < 1e-6);
  }
}

TEST_CASE("batch_norm: every kernel equals its twin, in every memory order") {
  Generator g(1);
  for (const Shape& shape : shapes())
    for (const Memory memory : kOrders)
      for (const bool relu : {false, true})
        for (const bool joined : {false, true}) {
          CAPTURE(shape.to_string());
          CAPTURE(static_cast<int>(memory));
          CAPTURE(relu);
          CAPTURE(joined);
          const Shape channels{shape[1]};
          const Array x = random_array(g, shape, memory), w = random_array(g, channels, Memory::sliced);
          const Array b = random_array(g, channels), dy = random_array(g, shape, memory);
          const Array add = joined ? random_array(g, shape, memory) : Array();
          const auto f = k::batch_norm_train(x, w, b, 1e-5, relu, add);
          const auto t = k::batch_norm_train(wide(x), wide(w), wide(b), 1e-5, relu, wide(add));
          CHECK(worst_error(f.y, t.y) < 2e-5);
          CHECK(worst_error(f.mean, t.mean) < 1e-6);
          CHECK(worst_error(f.variance, t.variance) < 1e-6);
          CHECK(worst_error(f.inverse_deviation, t.inverse_deviation) < 1e-5);
          CHECK((f.y.is_channels_last() || shape.rank() == 2));
          const Array given = random_array(g, channels), spread = Array::full(channels, 2.5);
          CHECK(worst_error(k::batch_norm_evaluate(x, w, b, given, spread, 1e-5, relu, add),
                            k::batch_norm_evaluate(wide(x), wide(w), wide(b), wide(given), wide(spread), 1e-5, relu,
                                                   wide(add))) < 1e-5);

          const Array y = relu ? f.y : Array();
          const auto d = k::batch_norm_train_grad(dy, x, w, f.mean, f.inverse_deviation, y, joined);
          const auto e = k::batch_norm_train_grad(wide(dy), wide(x), wide(w), wide(f.mean), wide(f.inverse_deviation),
                                                  wide(y), joined);
          const double M = static_cast<double>(x.size() / shape[1]);
          CHECK(worst_error(d.dx, e.dx) < 2e-5);
          CHECK(worst_error(d.dw, e.dw) < 1e-6 * std::sqrt(M));
          CHECK(worst_error(d.db, e.db) < 1e-6 * std::sqrt(M));
          if (joined) CHECK(worst_error(d.dadd, e.dadd) == 0);
        }
}

TEST_CASE("batch_norm: a large mean does not cancel") {
  Generator g(2);
  for (const Shape& shape : {Shape{64, 16, 16, 16}, Shape{512, 3}}) {
    Array x = Array::empty(shape, DType::f32, Layout::channels_last);
    g.fill_normal(x, 3000, 0.5);
    x.data<float>()[0] = -3000;  // the first number is no guess of the mean
    const Array w = Array::full({shape[1]}, 1), b = Array::zeros({shape[1]});
    const auto f = k::batch_norm_train(x, w, b, 1e-5, false);
    const auto t = k::batch_norm_train(wide(x), wide(w), wide(b), 1e-5, false);
    for (std::int64_t c = 0; c < shape[1]; ++c) {
      CHECK(f.variance.at({c}) == doctest::Approx(t.variance.at({c})).epsilon(1e-4));
      CHECK(f.mean.at({c}) == doctest::Approx(t.mean.at({c})).epsilon(5e-7));
    }
  }
}

TEST_CASE("batch_norm: equal bits for equal threads, close for others") {
  Generator g(3);
  const int before = threads();
  const Array x = random_array(g, {32, 16, 16, 16}, Memory::channels_last), w = random_array(g, {16});
  const Array b = random_array(g, {16});
  const auto truth = k::batch_norm_train(wide(x), wide(w), wide(b), 1e-5, true);
  for (const int n : {1, 2, 3}) {
    set_threads(n);
    const auto f = k::batch_norm_train(x, w, b, 1e-5, true);
    CHECK(worst_error(f.y, truth.y) < 2e-5);
    CHECK(identical(f.y, k::batch_norm_train(x, w, b, 1e-5, true).y));
    const auto d = k::batch_norm_train_grad(x, x, w, f.mean, f.inverse_deviation, f.y);
    CHECK(identical(d.dx, k::batch_norm_train_grad(x, x, w, f.mean, f.inverse_deviation, f.y).dx));
  }
  set_threads(before);
}

TEST_CASE("batch_norm: the ReLU's mask from x has the bits of the mask from y") {
  Generator g(9);
  std::vector<Shape> all = shapes();
  for (std::int64_t C = 1; C <= 40; ++C) all.push_back({3, C, 5, 7});
  for (const Shape& shape : all)
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
      CAPTURE(shape.to_string());
      CAPTURE(name(dtype));
      const DType of_weights = dtype == DType::f64 ? dtype : DType::f32;
      const Array x = random_array(g, shape, Memory::channels_last).to(dtype);
      const Array dy = random_array(g, shape, Memory::channels_last).to(dtype);
      const Array w = random_array(g, {shape[1]}).to(of_weights), b = random_array(g, {shape[1]}).to(of_weights);
      const auto f = k::batch_norm_train(x, w, b, 1e-5, true);
      const auto by_y = k::batch_norm_train_grad(dy, x, w, f.mean, f.inverse_deviation, f.y);
      const auto by_x = k::batch_norm_relu_grad(dy, x, w, b, f.mean, f.inverse_deviation);
      CHECK(identical(by_x.dx, by_y.dx));
      CHECK(identical(by_x.dw, by_y.dw));
      CHECK(identical(by_x.db, by_y.db));
      CHECK(!by_x.dadd.defined());
    }
}

TEST_CASE("batch_norm: bf16 and f16 are the twin in double, rounded once; statistics are f32") {
  Generator g(4);
  std::vector<Shape> all = shapes();
  for (std::int64_t C = 1; C <= 40; C += 3) all.push_back({3, C, 5, 7});
  for (const Shape& shape : all)
    for (const DType dtype : {DType::bf16, DType::f16})
      for (const bool joined : {false, true}) {
        CAPTURE(shape.to_string());
        CAPTURE(name(dtype));
        CAPTURE(joined);
        const double limit = (dtype == DType::bf16 ? 0x1p-8 : 0x1p-11) + 5e-5;
        const Array x = random_array(g, shape, Memory::channels_last).to(dtype), w = random_array(g, {shape[1]});
        const Array b = random_array(g, {shape[1]}), dy = random_array(g, shape).to(dtype);
        const Array add = joined ? random_array(g, shape).to(dtype) : Array();
        const auto f = k::batch_norm_train(x, w, b, 1e-5, true, add);
        const auto t = k::batch_norm_train(wide(x), wide(w), wide(b), 1e-5, true, wide(add));
        CHECK(f.y.dtype() == dtype);
        CHECK(f.mean.dtype() == DType::f32);
        CHECK(worst_error(f.y, t.y) < limit);
        CHECK(worst_error(f.mean, t.mean) < 1e-6);
        CHECK(worst_error(f.variance, t.variance) < 1e-6);
        CHECK(worst_error(k::batch_norm_evaluate(x, w, b, f.mean, f.variance, 1e-5, true, add),
                          k::batch_norm_evaluate(wide(x), wide(w), wide(b), t.mean, t.variance, 1e-5, true,
                                                 wide(add))) < limit);
        const auto d = k::batch_norm_train_grad(dy, x, w, f.mean, f.inverse_deviation, f.y, joined);
        const auto e = k::batch_norm_train_grad(wide(dy), wide(x), wide(w), wide(f.mean), wide(f.inverse_deviation),
                                                wide(f.y), joined);
        CHECK(worst_error(d.dx, e.dx) < limit);
        CHECK(worst_error(d.dw, e.dw) < 2e-5);
        CHECK(worst_error(d.db, e.db) < 2e-5);
        CHECK(d.dx.dtype() == dtype);
        CHECK(d.dw.dtype() == DType::f32);
        if (joined) CHECK(worst_error(d.dadd, e.dadd) == 0);
      }
}

TEST_CASE("batch_norm: errors") {
  const Array x = Array::zeros({2, 3, 4, 4}), w = Array::zeros({3}), four = Array::zeros({4});
  CHECK(message_of([&] { k::batch_norm_train(x, four, w, 1e-5, false); }) ==
        "batch_norm: x has 3 channels, w is [4]: x [2, 3, 4, 4]");
  CHECK(message_of([&] { k::batch_norm_train(x, w, four, 1e-5, false); }) ==
        "batch_norm: x has 3 channels, b is [4]: x [2, 3, 4, 4]");
  CHECK(message_of([&] { k::batch_norm_train(Array::zeros({3}), w, w, 1e-5, false); }) ==
        "batch_norm: x is [3], must be [N, C, ...] and not empty");
  CHECK(message_of([&] {
          k::batch_norm_train(x, w, w, 1e-5, false, Array::zeros({2, 3, 4, 5}));
        }) == "batch_norm: add is [2, 3, 4, 5], must be [2, 3, 4, 4]");
  CHECK(message_of([&] { k::batch_norm_evaluate(x, w, w, four, w, 1e-5, false); }) ==
        "batch_norm: x has 3 channels, mean is [4]: x [2, 3, 4, 4]");
  CHECK(message_of([&] { k::batch_norm_train_grad(four, x, w, w, w, {}); }) ==
        "batch_norm_train_grad: dy is [4], must be [2, 3, 4, 4]");
}

TEST_CASE("batch_norm: a mean of 300 deviations costs no more digits than its own rounding") {
  Generator g(71);
  for (const Shape& shape : {Shape{64, 16, 8, 8}, Shape{64, 5, 8, 8}, Shape{4096, 24}}) {
    Array x = Array::empty(shape, DType::f64), dy = Array::empty(shape);
    g.fill_normal(x, 300, 1);
    g.fill_normal(dy);
    x = x.to(DType::f32);
    const Array w = Array::full({shape[1]}, 1), b = Array::zeros({shape[1]});
    const auto f = k::batch_norm_train(x, w, b, 1e-5, false);
    const auto t = k::batch_norm_train(wide(x), wide(w), wide(b), 1e-5, false);
    CHECK(worst_error(f.mean, t.mean) < 1.6e-5);  // half a unit of 300 is 1.5e-5
    CHECK(worst_error(f.variance, t.variance) < 1e-6);
    CHECK(worst_error(f.y, t.y) < 2e-5);
    const auto fd = k::batch_norm_train_grad(dy, x, w, f.mean, f.inverse_deviation, {});
    const auto td = k::batch_norm_train_grad(wide(dy), wide(x), wide(w), t.mean, t.inverse_deviation, {});
    CHECK(worst_error(fd.dx, td.dx) < 5e-6);
  }
}

TEST_CASE("batch_norm: bf16 with bf16 or f32 parameters gives gradients of their dtypes") {
  Generator g(5);
  const Array x = random_array(g, {4, 3, 4, 4}).to(DType::bf16), dy = random_array(g, {4, 3, 4, 4}).to(DType::bf16);
  for (const DType dtype : {DType::bf16, DType::f32}) {
    const Array w = Array::full({3}, 1, dtype), b = Array::zeros({3}, dtype);
    const auto f = k::batch_norm_train(x, w, b, 1e-5, false);
    const auto d = k::batch_norm_train_grad(dy, x, w, f.mean, f.inverse_deviation, {});
    CHECK(d.dx.dtype() == DType::bf16);
    CHECK(d.dw.dtype() == dtype);
    CHECK(d.db.dtype() == dtype);
    CHECK(f.mean.dtype() == DType::f32);
  }
}

TEST_CASE("batch_norm: any rank from 2 is [N, C, places]") {
  Generator g(6);
  const Array w = random_array(g, {3}), b = random_array(g, {3});
  for (const Shape& shape : {Shape{4, 3, 6}, Shape{2, 3, 2, 3, 4}, Shape{8, 3}}) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Array x = random_array(g, shape).to(dtype), dy = random_array(g, shape).to(dtype);
      const Array add = random_array(g, shape).to(dtype), p = w.to(dtype), q = b.to(dtype);
      const Shape images{shape[0], 3, x.size() / (3 * shape[0]), 1};
      const auto as = [&](const Array& a) { return a.reshape(images); };
      const auto f = k::batch_norm_train(x, p, q, 1e-5, true, add);
      const auto t = k::batch_norm_train(as(x), p, q, 1e-5, true, as(add));
      CHECK(identical(f.y, t.y.reshape(shape)));
      const auto d = k::batch_norm_train_grad(dy, x, p, f.mean, f.inverse_deviation, f.y, true);
      const auto td = k::batch_norm_train_grad(as(dy), as(x), p, t.mean, t.inverse_deviation, t.y, true);
      CHECK(identical(d.dx, td.dx.reshape(shape)));
      CHECK(identical(d.dadd, td.dadd.reshape(shape)));
      CHECK(identical(k::batch_norm_evaluate(x, p, q, q, k::square(q), 1e-5, false),
                      k::batch_norm_evaluate(as(x), p, q, q, k::square(q), 1e-5, false).reshape(shape)));
    }
  }
}
