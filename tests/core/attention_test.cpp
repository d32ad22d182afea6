// Attention: hand values, masks, whole rows hidden, errors, and the blocks of queries against the naive twin.
// Gradients by finite differences: tests/autograd/sequence_op_rows.h.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <tandem/core/allocator.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/attention/attention.h>

using namespace tandem;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Array normal(const Shape& shape, std::uint64_t seed) {
  Array x = Array::empty(shape);
  Generator(seed).fill_normal(x);
  return x;
}

double difference(const Array& a, const Array& b) {
  REQUIRE(a.shape() == b.shape());
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = std::abs(x[i] - y[i]) / std::max(1.0, std::abs(y[i]));
    worst = std::isfinite(error) ? std::max(worst, error) : 1e300;
  }
  return worst;
}

Array f64(const Array& x) { return x.to(DType::f64); }

struct Grads {
  Array dq, dk, dv;
};

Grads gradients(const Array& dy, const Array& q, const Array& k, const Array& v, const AttentionOptions& options) {
  const auto forward = kernels::attention(q, k, v, options);
  Grads g{Array::empty(q.shape(), q.dtype()), Array::empty(k.shape(), q.dtype()), Array::empty(v.shape(), q.dtype())};
  kernels::attention_grad(dy, q, k, v, forward, options, g.dq, g.dk, g.dv);
  return g;
}

void check(const Array& q, const Array& k, const Array& v, const AttentionOptions& options) {
  const auto fast = kernels::attention(q, k, v, options);
  const auto naive = kernels::attention(f64(q), f64(k), f64(v), options);
  CHECK(difference(fast.y, naive.y) < 1e-5);
  const Array dy = normal(fast.y.shape(), 9);
  const Grads g = gradients(dy, q, k, v, options), twin = gradients(f64(dy), f64(q), f64(k), f64(v), options);
  CHECK(difference(g.dq, twin.dq) < 2e-5);
  CHECK(difference(g.dk, twin.dk) < 2e-5);
  CHECK(difference(g.dv, twin.dv) < 2e-5);
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("attention: two keys, on paper") {
  // scores 0 and ln 3 with scale 1: p = 1/4, 3/4
  const Array q = Array::from({1}, {1, 1, 1, 1}), k = Array::from({0, std::log(3.0)}, {1, 1, 2, 1});
  const Array v = Array::from({4, 0, 0, 8}, {1, 1, 2, 2});
  const auto r = kernels::attention(q, k, v, {.scale = 1});
  CHECK(r.y.at({0, 0, 0, 0}) == doctest::Approx(1));
  CHECK(r.y.at({0, 0, 0, 1}) == doctest::Approx(6));
  CHECK(r.rows.at({0, 0, 0, 0}) == doctest::Approx(std::log(3.0)));  // of 0 and ln 3
  CHECK(r.rows.at({0, 0, 0, 1}) == doctest::Approx(std::log(4.0 / 3)));
}

TEST_CASE("attention: causal queries see no later key; cached keys shift the first query") {
  const Array q = normal({1, 2, 4, 3}, 1), k = normal({1, 2, 4, 3}, 2), v = normal({1, 2, 4, 3}, 3);
  const Array all = kernels::attention(q, k, v, {.causal = true}).y;
  CHECK(difference(all.slice(2, 0, 1), v.slice(2, 0, 1)) < 1e-6);
  for (std::int64_t t = 0; t < 4; ++t) {
    const Array one = kernels::attention(q.slice(2, t, t + 1), k.slice(2, 0, t + 1), v.slice(2, 0, t + 1),
                                         {.causal = true, .first_query = t})
                          .y;
    CHECK(difference(all.slice(2, t, t + 1), one) < 1e-6);
  }
}

TEST_CASE("attention: a query that sees no key gives zeros and no gradient, not NaN") {
  const Array q = normal({2, 2, 3, 4}, 1), k = normal({2, 2, 5, 4}, 2), v = normal({2, 2, 5, 4}, 3);
  const Array hidden = Array::from({1, 1, 1, 1, 1, 0, 0, 1, 0, 0}, {2, 5}, DType::u8);
  const Array row = Array::from({0, -kInfinity, 0}, {3, 1});
  for (const DType dtype : {DType::f32, DType::f64}) {
    const AttentionOptions options{.mask = row, .hidden_keys = hidden};
    const auto r = kernels::attention(q.to(dtype), k.to(dtype), v.to(dtype), options);
    CHECK(difference(r.y.slice(0, 0, 1), Array::zeros({1, 2, 3, 4})) == 0);
    CHECK(difference(r.y.slice(2, 1, 2), Array::zeros({2, 2, 1, 4})) == 0);
    CHECK(r.rows.at({0, 0, 0, 0}) == kInfinity);
    const Grads g = gradients(Array::full(r.y.shape(), 1, dtype), q.to(dtype), k.to(dtype), v.to(dtype), options);
    CHECK(difference(g.dq.slice(0, 0, 1), Array::zeros({1, 2, 3, 4})) == 0);
    CHECK(difference(g.dv.slice(0, 0, 1), Array::zeros({1, 2, 5, 4})) == 0);
    CHECK(difference(g.dv.slice(0, 1, 2).slice(2, 2, 3), Array::zeros({1, 2, 1, 4})) == 0);
    for (const double d : g.dk.to_vector<double>()) CHECK(std::isfinite(d));
  }
}

TEST_CASE("attention: a large finite mask on all keys of a query hides none of them, forward and backward") {
  const std::int64_t S = 40;
  const Array q = normal({1, 2, 3, 8}, 1), k = normal({1, 2, S, 8}, 2), v = normal({1, 2, S, 5}, 3);
  // Queries 0 and 1 and the keys lie in different channels: scores of 0, which f32 and f64 round alike beside -1e9.
  q.slice(2, 0, 2).slice(3, 4, 8).fill(0);
  k.slice(3, 0, 4).fill(0);
  for (const double low : {-1e9, static_cast<double>(std::numeric_limits<float>::lowest())}) {
    CAPTURE(low);
    const Array mask = Array::zeros({3, S});
    mask.slice(0, 0, 2).fill(low);
    mask.slice(0, 2, 3).slice(1, 0, S / 2).fill(low);
    check(q, k, v, {.mask = mask});
    check(q, k, v, {.causal = true, .first_query = S - 2, .mask = mask});
    check(q, k, v, {.mask = mask, .dropout = 0.3, .generator = Generator(6)});
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Array dy = Array::full({1, 2, 1, 5}, 1, dtype), first = q.slice(2, 0, 1).to(dtype);
      const Grads g = gradients(dy, first, k.to(dtype), v.to(dtype), {.mask = mask.slice(0, 0, 1)});
      CHECK(difference(g.dv, Array::full({1, 2, S, 5}, 1.0 / static_cast<double>(S))) < 1e-6);
    }
  }
}

TEST_CASE("attention in blocks equals its naive twin") {
  for (const auto& sizes : {std::pair<std::int64_t, std::int64_t>{1, 1}, {3, 5}, {64, 64}, {65, 130}, {150, 70}}) {
    const auto T = sizes.first, S = sizes.second;
    CAPTURE(T);
    CAPTURE(S);
    const Array q = normal({2, 3, T, 8}, 1), k = normal({2, 3, S, 8}, 2), v = normal({2, 3, S, 5}, 3);
    Array hidden = Array::zeros({2, S}, DType::i64);
    for (std::int64_t j = S / 2 + 1; j < S; ++j) hidden.set({1, j}, 1);
    check(q, k, v, {});
    check(q, k, v, {.causal = true});
    check(q, k, v, {.causal = true, .first_query = 7, .hidden_keys = hidden});
    check(q, k, v, {.mask = normal({T, S}, 4), .scale = 0.1});
    check(q, k, v, {.mask = normal({3, 1, 1}, 5), .dropout = 0.3, .generator = Generator(6)});
    check(q.transpose(1, 2).contiguous().transpose(1, 2), k, v.transpose(2, 3).contiguous().transpose(2, 3), {});
  }
}

TEST_CASE("attention: dropout scales by what it keeps, and draws the same for the same generator") {
  const Array q = normal({1, 1, 50, 4}, 1), k = normal({1, 1, 400, 4}, 2), ones = Array::full({1, 1, 400, 1}, 1);
  const AttentionOptions options{.dropout = 0.25, .generator = Generator(1)};
  const Array a = kernels::attention(q, k, ones, options).y, b = kernels::attention(q, k, ones, options).y;
  CHECK(identical(a, b));
  double mean = 0;
  for (const double x : a.to_vector<double>()) mean += x / 50;
  CHECK(mean == doctest::Approx(1).epsilon(0.05));
  CHECK_FALSE(identical(a, kernels::attention(q, k, ones, {.dropout = 0.25, .generator = Generator(2)}).y));
}

TEST_CASE("attention: memory does not grow with T x S") {
  const std::int64_t T = 2048;
  const Array q = normal({1, 4, T, 16}, 1);
  release_cached_memory();
  reset_peak_memory();
  const std::size_t before = memory_stats().bytes_in_use;
  gradients(q, q, q, q, {});
  const std::size_t matrix = static_cast<std::size_t>(4 * T * T) * sizeof(float);
  CHECK(memory_stats().peak_bytes - before < matrix / 8);
}

TEST_CASE("attention refuses what does not fit") {
  const Array x = Array::zeros({2, 2, 3, 4});
  const std::string where = "scaled_dot_product_attention: ";
  CHECK(message_of([&] {
          kernels::attention(x, Array::zeros({2, 2, 3, 5}), x, {});
        }) ==
        where +
            "q must be [B, h, T, d], k [B, h, S, d], v [B, h, S, e]: q [2, 2, 3, 4], k [2, 2, 3, 5], v [2, 2, 3, 4]");
  CHECK(message_of([&] {
          kernels::attention(x, x, x, {.mask = Array::zeros({3, 4})});
        }) ==
        where +
            "the mask must broadcast to [2, 2, 3, 3]: mask f32 [3, 4], q [2, 2, 3, 4], k [2, 2, 3, 4], v [2, 2, 3, 4]");
  for (const DType dtype : {DType::u8, DType::i64}) {
    CHECK(message_of([&] {
            kernels::attention(x, x, x, {.mask = Array::zeros({3, 3}, dtype)});
          }) ==
          where + "the mask must be floating, because it is added to the scores: mask " + std::string(name(dtype)) +
              " [3, 3], q [2, 2, 3, 4], k [2, 2, 3, 4], v [2, 2, 3, 4]; make it with where(hidden, -inf, 0), or give "
              "hidden_keys");
  }
  CHECK(message_of([&] {
          kernels::attention(x, x, x, {.hidden_keys = Array::zeros({2, 4})});
        }) == where + "hidden_keys must be [2, 3]: hidden_keys [2, 4], q [2, 2, 3, 4], k [2, 2, 3, 4], v [2, 2, 3, 4]");
  CHECK(message_of([&] { kernels::attention(x, x, x, {.dropout = 1}); }) ==
        where + "dropout is 1, must be in [0, 1): q [2, 2, 3, 4], k [2, 2, 3, 4], v [2, 2, 3, 4]");
  CHECK(message_of([&] { kernels::attention(x, x, x, {.first_query = -1}); }) ==
        where + "first_query is -1, must be at least 0: q [2, 2, 3, 4], k [2, 2, 3, 4], v [2, 2, 3, 4]");
}
