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

namespace tandem {

namespace {

constexpr std::size_t kSmallest = 64;
constexpr std::size_t kHuge = std::size_t{2} << 20;
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
  MemoryStats stats;
};

Pool& pool() {
  static Pool* instance = new Pool;  // never destroyed: static Arrays may outlive any other order
  return *instance;
}

std::byte* ask_system(std::size_t bytes) {
  const std::size_t alignment = bytes >= kHuge ? kHuge : kSmallest;
  void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) fail("allocator", "out of memory", fmt::format("{} bytes asked for", bytes));
  if (bytes >= kHuge) madvise(block, bytes, MADV_HUGEPAGE);
  return static_cast<std::byte*>(block);
}

}  // namespace

namespace detail {

std::byte* allocate_block(std::size_t bytes) {
  const SizeClass size = class_of(bytes);
  Pool& p = pool();
  {
    const std::lock_guard lock(p.mutex);
    p.stats.bytes_in_use += size.bytes;
    p.stats.peak_bytes = std::max(p.stats.peak_bytes, p.stats.bytes_in_use);
    auto& list = p.free[size.index];
    if (!list.empty()) {
      std::byte* block = list.back();
      list.pop_back();
      p.stats.bytes_cached -= size.bytes;
      return block;
    }
    ++p.stats.system_allocations;
  }
  try {
    return ask_system(size.bytes);
  } catch (...) {
    const std::lock_guard lock(p.mutex);
    p.stats.bytes_in_use -= size.bytes;
    throw;
  }
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
  for (auto& list : p.free) {
    for (std::byte* block : list) std::free(block);
    list.clear();
  }
  p.stats.bytes_cached = 0;
}

}  // namespace tandem
