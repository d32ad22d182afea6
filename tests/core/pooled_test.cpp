// What threads keep to themselves: pieces of small objects, and small blocks of the caching allocator.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <tandem/core/allocator.h>
#include <tandem/core/array.h>
#include <tandem/core/pooled.h>

using namespace tandem;

namespace {

struct Piece {
  std::uint64_t numbers[9] = {};
};

std::shared_ptr<Piece> new_piece(std::uint64_t value) {
  auto piece = std::allocate_shared<Piece>(Pooled<Piece>{});
  for (std::uint64_t& number : piece->numbers) number = value;
  return piece;
}

}  // namespace

TEST_CASE("pooled objects do not share memory, whichever thread frees them") {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::shared_ptr<Piece>> made;
    std::thread([&] {
      for (std::uint64_t i = 0; i < 20000; ++i) made.push_back(new_piece(i));
    }).join();
    for (std::uint64_t i = 0; i < 20000; i += 2) made[i] = new_piece(i + 1);
    bool are_right = true;
    for (std::uint64_t i = 0; i < 20000; ++i) {
      for (const std::uint64_t number : made[i]->numbers) are_right = are_right && number == i + (i % 2 == 0 ? 1 : 0);
    }
    CHECK(are_right);
    std::thread([&] { made.clear(); }).join();
  }
  CHECK_THROWS_AS(static_cast<void>(Pooled<Piece>{}.allocate(SIZE_MAX / 8)), std::bad_array_new_length);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TANDEM_SEES_PIECES 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TANDEM_SEES_PIECES 1
#endif

#ifndef TANDEM_SEES_PIECES
TEST_CASE("a pooled object takes the place of one that the thread has freed") {
  const Piece* const first = new_piece(1).get();
  CHECK(new_piece(2).get() == first);
}
#endif

TEST_CASE("small blocks are counted in every thread, and those of a thread that ends are handed out again") {
  release_cached_memory();
  const MemoryStats before = memory_stats();
  Array kept;
  std::thread([&] {
    for (int i = 0; i < 3; ++i) {
      const Array x = Array::empty({1000});
      const Array y = Array::empty({1000});
      kept = x;
    }
    CHECK(memory_stats().bytes_in_use == before.bytes_in_use + 4096);
    kept = Array{};
    CHECK(memory_stats().bytes_in_use == before.bytes_in_use);
    CHECK(memory_stats().bytes_cached > 0);
  }).join();
  const std::size_t asked = memory_stats().system_allocations;
  CHECK(memory_stats().bytes_in_use == before.bytes_in_use);
  { const Array again = Array::empty({1000}); }
  CHECK(memory_stats().system_allocations == asked);
  release_cached_memory();
  CHECK(memory_stats().bytes_cached == before.bytes_cached);  // what other threads keep
}

TEST_CASE("peak memory counts small blocks that the thread keeps") {
  std::vector<Array> blocks;
  for (int i = 0; i < 4; ++i) blocks.push_back(Array::empty({512}));
  blocks.clear();  // kept by this thread
  reset_peak_memory();
  const std::size_t base = memory_stats().bytes_in_use;
  for (int i = 0; i < 4; ++i) blocks.push_back(Array::empty({512}));
  blocks.clear();
  CHECK(memory_stats().bytes_in_use == base);
  CHECK(memory_stats().peak_bytes == base + 4 * 2048);
}
