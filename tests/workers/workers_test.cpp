// Sums, broadcasts and what workers agree on, for as many as there are.
#include <workers/support.h>

#include <fmt/format.h>

using namespace tandem;
using support::message;
using support::workers;

TEST_CASE("a sum is over all workers, of every type that is summed") {
  Workers& w = *workers();
  const int n = w.size();
  CHECK(w.rank() < n);
  std::vector<float> f = {1.5F, static_cast<float>(w.rank())};
  std::vector<double> d(100'000, 1.0 / 3);
  std::vector<std::int64_t> i = {std::int64_t{1} << 60, w.rank()};
  i[0] /= n;
  const std::uint64_t first = w.begin_sum(f.data(), 2, DType::f32, Workers::Channel::pieces);
  const std::uint64_t second = w.begin_sum(d.data(), 100'000, DType::f64, Workers::Channel::pieces);
  w.wait(w.begin_sum(i.data(), 2, DType::i64, Workers::Channel::words));
  w.wait(second);
  w.wait(first);
  const int ranks = n * (n - 1) / 2;
  CHECK(f == std::vector<float>{1.5F * static_cast<float>(n), static_cast<float>(ranks)});
  CHECK(d.front() == doctest::Approx(n / 3.0).epsilon(1e-14));
  CHECK(d.back() == d.front());
  CHECK(i == std::vector<std::int64_t>{(std::int64_t{1} << 60) / n * n, ranks});
}

TEST_CASE("numbers are gathered, texts and bytes passed on") {
  Workers& w = *workers();
  std::vector<std::int64_t> squares;
  for (int r = 0; r < w.size(); ++r) squares.push_back(std::int64_t{r} * r);
  CHECK(w.gather(std::int64_t{w.rank()} * w.rank()) == squares);
  for (int r = 0; r < w.size(); ++r)
    CHECK(w.broadcast(fmt::format("rank {}", w.rank()), r) == fmt::format("rank {}", r));
  CHECK(w.broadcast(std::string()) == "");
  double number = w.rank();
  const int last = w.size() - 1;
  w.pass(&number, sizeof(number), last, 0);
  CHECK(number == (w.rank() == 0 ? last : w.rank()));
}

TEST_CASE("what differs between workers is an error on all of them") {
  Workers& w = *workers();
  CHECK_NOTHROW(w.require_same("rule", "sgd(lr=0.1)", "give all the same"));
  const std::string text = w.rank() == w.size() - 1 ? "adam()" : "sgd()";
  const std::string expected =
      w.size() == 1 ? "no error"
                    : fmt::format("workers: rank {} has another rule than rank 0: adam(), not sgd(); give all the same",
                                  w.size() - 1);
  CHECK(message([&] { w.require_same("rule", text, "give all the same"); }) == expected);
}

TEST_CASE("traffic is counted in numbers that were summed, and events tell when") {
  Workers& w = *workers();
  const Traffic before = w.traffic();
  w.record_events(true);
  std::vector<float> x(1000, 1.0F);
  w.wait(w.begin_sum(x.data(), 1000, DType::f32, Workers::Channel::pieces));
  w.record_events(false);
  const std::vector<Workers::Event> events = w.take_events();
  const bool is_alone = w.size() == 1;
  CHECK(w.traffic().sums - before.sums == (is_alone ? 0 : 1));
  CHECK(w.traffic().bytes - before.bytes == (is_alone ? 0 : 4000));
  CHECK(w.traffic().waited >= before.waited);
  REQUIRE(events.size() == (is_alone ? 0 : 1));
  if (is_alone) return;
  CHECK(events[0].bytes == 4000);
  CHECK(events[0].end >= events[0].begin);
}

TEST_CASE("a type that is not summed is an error") {
  Workers& w = *workers();
  std::uint8_t x = 1;
  const auto sum = [&] { w.wait(w.begin_sum(&x, 1, DType::u8, Workers::Channel::words)); };
  CHECK(message(sum) ==
        (w.size() == 1 ? "no error" : "workers: a sum of u8 over workers: f32, f64 and i64 can be summed"));
}

TEST_CASE("parts cover what they divide, and are as equal as they can be") {
  for (const std::int64_t n : {0, 1, 7, 128}) {
    for (const int count : {1, 2, 4, 5}) {
      std::int64_t at = 0;
      for (int i = 0; i < count; ++i) {
        const Part part{i, count};
        CHECK(part.begin(n) == at);
        CHECK(part.end(n) - part.begin(n) <= n / count + 1);
        CHECK(part.end(n) - part.begin(n) >= n / count);
        at = part.end(n);
      }
      CHECK(at == n);
    }
  }
}
