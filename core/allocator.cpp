// Size classes, free lists and counters of the caching allocator. See allocator.h.
// Classes: powers of two cut into eighths (at most 12.5 % unused), from 64 bytes. Blocks of 2 MiB and more are aligned
// to and advised as huge pages: first touches and TLB misses of activations are otherwise a measurable part of a step.
#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include <fmt/format.h>

#include <tandem/core/allocator.h>
#include <tandem/core/error.h>
#include <tandem/core/profile.h>

namespace tandem {

namespace {

constexpr std::size_t kSmallest = 64;
constexpr std::size_t kHuge = std::size_t{2} << 20;
constexpr std::size_t kMost = std::size_t{1} << 62;  // what rounding up takes further stays below 2^63
constexpr std::size_t kClasses = 64 * 8;

struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};

SizeClass class_of(std::size_t bytes) {
  if (bytes <= kSmallest) return {0, kSmallest};
  const auto power = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power+1)
  const std::size_t step = std::max(kSmallest, (std::size_t{1} << power) / 8);
  const std::size_t rounded = (bytes + step - 1) / step * step;
  return {power * 8 + (rounded - (std::size_t{1} << power)) / step, rounded};
}

struct Pool {
  std::mutex mutex;
  std::array<std::vector<std::byte*>, kClasses> free;
  std::array<std::size_t, kClasses> blocks{};  // of each class, handed out or free
  MemoryStats stats;
};

void count_handed_out(Pool& p, std::size_t bytes) {
  p.stats.bytes_in_use += bytes;
  p.stats.peak_bytes = std::max(p.stats.peak_bytes, p.stats.bytes_in_use);
}

Pool& pool() {
  static Pool* instance = new Pool;  // never destroyed: static Arrays may outlive any other order
  return *instance;
}

/// Null where the system has none.
std::byte* ask_system(std::size_t bytes) {
  const std::size_t alignment = bytes >= kHuge ? kHuge : kSmallest;
  void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block != nullptr && bytes >= kHuge) madvise(block, bytes, MADV_HUGEPAGE);
  return static_cast<std::byte*>(block);
}

[[noreturn]] void fail_memory(std::size_t bytes, const MemoryStats& stats) {
  fail("allocator", "out of memory", fmt::format("{} bytes asked for, {} in use", bytes, stats.bytes_in_use));
}

/// Frees what is cached; the caller holds the lock.
void release(Pool& p) {
  for (std::size_t i = 0; i < kClasses; ++i) {
    for (std::byte* block : p.free[i]) std::free(block);
    p.blocks[i] -= p.free[i].size();
    p.free[i].clear();
  }
  p.stats.bytes_cached = 0;
}

}  // namespace

namespace detail {

std::byte* allocate_block(std::size_t bytes) {
  Pool& p = pool();
  if (bytes > kMost) fail_memory(bytes, memory_stats());
  const SizeClass size = class_of(bytes);
  {
    const std::lock_guard lock(p.mutex);
    auto& list = p.free[size.index];
    if (!list.empty()) {
      std::byte* block = list.back();
      list.pop_back();
      p.stats.bytes_cached -= size.bytes;
      count_handed_out(p, size.bytes);
      return block;
    }
    ++p.stats.system_allocations;
  }
  profile::allocated(size.bytes);
  std::byte* block = ask_system(size.bytes);
  const std::lock_guard lock(p.mutex);
  if (block == nullptr) {  // what is cached for other sizes may make room
    release(p);
    block = ask_system(size.bytes);
  }
  if (block == nullptr) fail_memory(bytes, p.stats);
  // Room in its list, so that giving it back never asks for memory.
  p.free[size.index].reserve(++p.blocks[size.index]);
  count_handed_out(p, size.bytes);
  return block;
}

void free_block(std::byte* block, std::size_t bytes) noexcept {
  const SizeClass size = class_of(bytes);
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  p.stats.bytes_in_use -= size.bytes;
  p.stats.bytes_cached += size.bytes;
  p.free[size.index].push_back(block);
}

}  // namespace detail

MemoryStats memory_stats() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  return p.stats;
}

void reset_peak_memory() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  p.stats.peak_bytes = p.stats.bytes_in_use;
}

void release_cached_memory() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  release(p);
}

}  // namespace tandem
