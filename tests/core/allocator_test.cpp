// The caching allocator, Storages in arenas, and the parallel loop.
#include <doctest/doctest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <vector>

#include <tandem/core/allocator.h>
#include <tandem/core/array.h>
#include <tandem/core/error.h>
#include <tandem/core/threads.h>

using namespace tandem;

TEST_CASE("freed memory is handed out again without asking the system") {
  { const Array warm = Array::empty({1000, 1000}); }
  const MemoryStats before = memory_stats();
  const std::byte* first = nullptr;
  {
    const Array x = Array::empty({1000, 1000});
    first = x.bytes();
    CHECK(memory_stats().bytes_in_use >= before.bytes_in_use + 4000000);
    CHECK(memory_stats().bytes_in_use <= before.bytes_in_use + 4500000);
  }
  const Array y = Array::empty({999, 1000});
  CHECK(y.bytes() >= first);
  CHECK(y.bytes() < first + 4000000);
  CHECK(memory_stats().system_allocations == before.system_allocations);
}

TEST_CASE("large blocks that are given back serve other sizes, in parts and joined") {
  release_cached_memory();
  const std::int64_t mebi = 1 << 20;
  Array::empty({12 * mebi}).fill(0);
  const MemoryStats before = memory_stats();
  for (int round = 0; round < 3; ++round) {
    auto a = Array::empty({4 * mebi}), b = Array::empty({2 * mebi}), c = Array::empty({mebi}),
         d = Array::empty({4 * mebi});
    b = Array();
    d = Array();  // the order in which they are given back does not matter
    c = Array();
    Array joined = Array::empty({8 * mebi});
    a.fill(1);
    joined.fill(2);
    CHECK(a.at({4 * mebi - 1}) == 1);
    CHECK(joined.at({0}) == 2);
  }
  CHECK(memory_stats().system_allocations == before.system_allocations);
  CHECK(memory_stats().bytes_in_use == before.bytes_in_use);
  release_cached_memory();
  CHECK(memory_stats().bytes_cached == 0);
  const Array again = Array::full({3 * mebi}, 7);
  CHECK(again.at({3 * mebi - 1}) == 7);
}

TEST_CASE("what was given back to the system is mapped again, zero, and blocks in use are not touched") {
  const std::int64_t mebi = 1 << 20;
  for (int round = 0; round < 3; ++round) {
    std::vector<Array> kept;
    for (int i = 0; i < 6; ++i) {
      Array gap = Array::full({(2 + i) * mebi}, 5);
      kept.push_back(Array::full({(3 + i) * mebi / 2}, i));
    }
    release_cached_memory();
    CHECK(memory_stats().bytes_cached == 0);
    const Array again = Array::empty({(2 + round) * mebi});
    for (const Array& x : kept) {
      const double value = x.at({0});
      CHECK(x.at({x.size() - 1}) == value);
      CHECK(x.at({x.size() / 2}) == value);
    }
    CHECK(again.at({0}) == 0);  // no page of somebody else
    Array(again).fill(7);
    CHECK(kept[0].at({0}) == 0);
  }
}

TEST_CASE("more memory than there is is an Error, and the next block is served") {
  CHECK_THROWS_WITH_AS(Array::empty({std::int64_t{1} << 45}), doctest::Contains("allocator: out of memory"), Error);
  CHECK(Array::full({3 << 20}, 2).at({5}) == 2);
}

TEST_CASE("peak memory is the largest in use since it was reset") {
  reset_peak_memory();
  const std::size_t base = memory_stats().bytes_in_use;
  { const Array x = Array::empty({1 << 20}); }
  CHECK(memory_stats().peak_bytes >= base + (4U << 20));
  reset_peak_memory();
  CHECK(memory_stats().peak_bytes == memory_stats().bytes_in_use);
}

TEST_CASE("memory is aligned for the widest vectors, and zero bytes are fine") {
  for (std::int64_t n : {0, 1, 15, 16, 17, 1000, 123457}) {
    const Array x = Array::empty({n});
    CHECK(reinterpret_cast<std::uintptr_t>(x.bytes()) % 64 == 0);
  }
}

TEST_CASE("a storage moves into an arena and every handle follows") {
  Array x = Array::from({1, 2, 3, 4}, {4});
  const Array view = x.slice(0, 2, 4);
  const auto id = x.storage()->id();
  auto arena = std::make_shared<Buffer>(1024);
  x.storage()->move_to(arena, 64);
  CHECK(x.bytes() == arena->data() + 64);
  CHECK(view.to_vector<double>() == std::vector<double>{3, 4});
  x.set({3}, 9);
  CHECK(view.at({1}) == 9);
  CHECK(x.storage()->id() == id);
}

TEST_CASE("parallel_for covers every index once for any grain") {
  for (int n : {1, 2, 5}) {
    const int before = threads();
    set_threads(n);
    for (std::int64_t count : {0, 1, 7, 1000}) {
      for (std::int64_t grain : {1, 3, 2000}) {
        std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
        parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
        });
        for (const auto& s : seen) CHECK_UNARY(s == 1);
      }
    }
    set_threads(before);
  }
}

TEST_CASE("an exception in a part reaches the caller, and the team works on") {
  CHECK_THROWS_AS(parallel_for(100, 1,
                               [](std::int64_t, std::int64_t end) {
                                 if (end == 100) throw std::runtime_error("part");
                               }),
                  std::runtime_error);
  std::atomic<std::int64_t> sum{0};
  parallel_for(100, 1, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
  CHECK(sum == 100);
  CHECK_THROWS_WITH_AS(set_threads(0), "threads: number must be at least 1: 0 given", Error);
}

// A limit of address space leaves none to a sanitizer's shadow; clang names them by __has_feature, gcc by a macro.
#if defined(__has_feature)
#define TANDEM_HAS_SHADOW (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TANDEM_HAS_SHADOW 1
#else
#define TANDEM_HAS_SHADOW 0
#endif

#if !TANDEM_HAS_SHADOW
TEST_CASE("cached blocks of other sizes make room before memory is out") {
  release_cached_memory();
  { const Array cached = Array::zeros({64 << 20}, DType::u8); }  // freed, and kept
  REQUIRE(memory_stats().bytes_cached >= std::size_t{64} << 20);
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  file >> pages;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  rlimit tight = before;
  tight.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + (std::size_t{24} << 20);
  REQUIRE(::setrlimit(RLIMIT_AS, &tight) == 0);
  bool is_given = false;
  try {
    is_given = Array::empty({80 << 20}, DType::u8).defined();
  } catch (const Error&) {}
  CHECK(::setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(is_given);
}
#endif
