// Random numbers: Philox against the published vectors, moments, independence of threads and of use.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/threads.h>

using namespace tandem;

TEST_CASE("philox gives the known answers of Random123") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("fills do not depend on the number of threads") {
  const int before = threads();
  std::vector<Array> results;
  for (int n : {1, 2, 3}) {
    set_threads(n);
    Generator g(42);
    Array u = Array::empty({100003}), v = Array::empty({3, 7, 11, 13}, DType::f32, Layout::channels_last),
          w = Array::empty({50001}, DType::f64);
    g.fill_normal(u);
    g.fill_uniform(v);
    g.fill_dropout_mask(w, 0.25);
    results.push_back(u);
    results.push_back(v);
    results.push_back(w);
  }
  set_threads(before);
  for (std::size_t i = 3; i < results.size(); ++i) CHECK(identical(results[i], results[i % 3]));
}

TEST_CASE("a dropout mask computed in lanes is that of single blocks") {
  for (const std::int64_t n : {1, 3, 4, 127, 128, 129, 1000, 70001})
    for (const double p : {0.0, 0.1, 0.5, 0.999}) {
      Generator lanes(7, 0x123456789abcULL), single(7, 0x123456789abcULL);
      lanes.set_position(0xfffffff0ULL);  // the counter's second word changes on the way
      single.set_position(0xfffffff0ULL);
      Array fast = Array::empty({n}), truth = Array::empty({n}, DType::f64);
      lanes.fill_dropout_mask(fast, p);
      single.fill_dropout_mask(truth, p);
      CHECK(identical(fast, truth.to(DType::f32)));
      CHECK(lanes.position() == single.position());
    }
}

TEST_CASE("moments are those of the distributions") {
  Generator g(1);
  const std::int64_t n = 200000;
  Array u = Array::empty({n}, DType::f64), z = Array::empty({n}, DType::f64), m = Array::empty({n}, DType::f64);
  g.fill_uniform(u, -1, 1);
  g.fill_normal(z, 3, 2);
  g.fill_dropout_mask(m, 0.2);
  const auto mean = [](const Array& x) {
    double s = 0;
    for (double v : x.to_vector<double>()) s += v;
    return s / static_cast<double>(x.size());
  };
  const auto deviation = [&](const Array& x) {
    const double a = mean(x);
    double s = 0;
    for (double v : x.to_vector<double>()) s += (v - a) * (v - a);
    return std::sqrt(s / static_cast<double>(x.size()));
  };
  CHECK(std::abs(mean(u)) < 5 * 0.577 / std::sqrt(n));
  CHECK(deviation(u) == doctest::Approx(0.57735).epsilon(0.01));
  CHECK(std::abs(mean(z) - 3) < 5 * 2 / std::sqrt(n));
  CHECK(deviation(z) == doctest::Approx(2).epsilon(0.01));
  CHECK(std::abs(mean(m) - 1) < 5 * 0.5 / std::sqrt(n));
  for (double v : m.to_vector<double>()) CHECK_UNARY(v == 0 || v == 1.25);
}

TEST_CASE("a split stream does not depend on how much its parent was used") {
  Generator a(7), b(7);
  for (int i = 0; i < 100; ++i) b.bits();
  CHECK(a.split(3, 4).bits() == b.split(3, 4).bits());
  CHECK(a.split(3, 4).bits() != a.split(4, 3).bits());
  CHECK(a.split(0).bits() != Generator(7).bits());
}

TEST_CASE("a position brings a generator back") {
  Generator g(9);
  g.normal();
  const auto position = g.position();
  const auto expected = g.bits();
  g.uniform();
  g.set_position(position);
  CHECK(g.bits() == expected);
}

TEST_CASE("below is in range and permutations hold every index once") {
  Generator g(2);
  std::vector<int> seen(10);
  for (int i = 0; i < 10000; ++i) ++seen[static_cast<std::size_t>(g.below(10))];
  for (int count : seen) CHECK(std::abs(count - 1000) < 150);
  CHECK_THROWS_WITH_AS(g.below(0), "generator: below needs a positive number: 0 given", Error);
  auto p = g.permutation(1000).to_vector<std::int64_t>();
  CHECK(p[0] != 0);
  std::sort(p.begin(), p.end());
  for (std::size_t i = 0; i < p.size(); ++i) CHECK_UNARY(p[i] == static_cast<std::int64_t>(i));
}
