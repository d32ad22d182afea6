// Size classes, free lists and counters of the caching allocator. See allocator.h.
//   below 1 MiB  classes: powers of two cut into eighths (at most 12.5 % unused), from 64 bytes; a free list each
//   above        parts of mapped ranges, joined again when they are free (free_ranges.h)
// A thread keeps a few small blocks of each class to itself (Own) and counts them itself: no lock, no shared counter.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include <fmt/format.h>

#include <tandem/core/allocator.h>
#include <tandem/core/error.h>
#include <tandem/core/free_ranges.h>
#include <tandem/core/profile.h>

namespace tandem {

namespace {

constexpr std::size_t kSmallest = 64;
constexpr std::size_t kLarge = std::size_t{1} << 20;
constexpr std::size_t kMost = std::size_t{1} << 62;  // what rounding up takes further stays below 2^63
constexpr std::size_t kClasses = 20 * 8 + 1;         // those of at most kLarge bytes

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

constexpr std::size_t kSmall = 16384;              // blocks up to here are kept by threads too
constexpr std::size_t kSmallClasses = 14 * 8 + 1;  // those of at most kSmall bytes
constexpr std::size_t kOwnBytes = 16384;           // what a thread keeps of a class ...
constexpr std::size_t kOwnBlocks = 4;              // ... or so many blocks

/// Written by its thread alone, read by others.
class Count {
 public:
  std::int64_t get() const { return value_.load(std::memory_order_relaxed); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::size_t bytes) { set(get() + static_cast<std::int64_t>(bytes)); }
  void subtract(std::size_t bytes) { set(get() - static_cast<std::int64_t>(bytes)); }

 private:
  std::atomic<std::int64_t> value_{0};
};

struct Block {
  Block* next;
};

struct BlockList {
  Block* first = nullptr;
  std::size_t blocks = 0;
};

/// The blocks of a thread. closed: it ends, and has none from now on. Trivial to destroy, so that Arrays which outlive
/// the thread's other variables may still be freed.
struct Own {
  enum class State : std::uint8_t { fresh, open, closed };
  std::array<BlockList, kSmallClasses> lists;
  Count in_use;  // handed out by this thread less what came back to it: may be negative
  Count cached;
  Count seen;  // the largest in_use that the peak knows of
  State state = State::fresh;
};

constinit thread_local Own own;

struct Pool {
  std::mutex mutex;
  std::array<std::vector<std::byte*>, kClasses> free;
  std::array<std::size_t, kClasses> blocks{};  // of each class, handed out or free
  detail::FreeRanges ranges;                   // for larger blocks
  std::vector<Own*> threads;
  std::int64_t in_use = 0, cached = 0, peak = 0;  // those of the threads to be added
  std::size_t system_allocations = 0;

  std::int64_t all_in_use() const {
    std::int64_t sum = in_use;
    for (const Own* thread : threads) sum += thread->in_use.get();
    return sum;
  }
  void note_peak() { peak = std::max(peak, all_in_use()); }
  void count_handed_out(std::size_t bytes) {
    in_use += static_cast<std::int64_t>(bytes);
    note_peak();
  }
};

Pool& pool() {
  static Pool* instance = new Pool;  // never destroyed: static Arrays may outlive any other order
  return *instance;
}

/// Null where the system has none.
std::byte* ask_system(std::size_t bytes) { return static_cast<std::byte*>(std::aligned_alloc(kSmallest, bytes)); }

[[noreturn]] void fail_memory(std::size_t bytes, std::int64_t in_use) {
  fail("allocator", "out of memory", fmt::format("{} bytes asked for, {} in use", bytes, in_use));
}

/// Gives the blocks of this thread to all; the caller holds the lock.
void share_own(Pool& p) {
  for (std::size_t i = 0; i < kSmallClasses; ++i) {
    for (BlockList& list = own.lists[i]; list.first != nullptr; --list.blocks) {
      Block* block = list.first;
      list.first = block->next;
      p.free[i].push_back(reinterpret_cast<std::byte*>(block));
    }
  }
  p.cached += own.cached.get();
  own.cached.set(0);
}

/// Frees what is cached; the caller holds the lock.
void release(Pool& p) {
  share_own(p);
  for (std::size_t i = 0; i < kClasses; ++i) {
    for (std::byte* block : p.free[i]) std::free(block);
    p.blocks[i] -= p.free[i].size();
    p.free[i].clear();
  }
  p.ranges.release();
  p.cached = 0;
}

std::size_t rounded_large(std::size_t bytes) {
  return (bytes + detail::FreeRanges::kStep - 1) / detail::FreeRanges::kStep * detail::FreeRanges::kStep;
}

std::byte* allocate_large(Pool& p, std::size_t asked) {
  const std::size_t bytes = rounded_large(asked);
  const std::lock_guard lock(p.mutex);
  std::byte* block = p.ranges.take(bytes);
  if (block == nullptr) {
    ++p.system_allocations;
    profile::allocated(bytes);
    block = p.ranges.map(bytes);
  }
  if (block == nullptr) {  // what is cached may make room
    release(p);
    block = p.ranges.map(bytes);
  }
  if (block == nullptr) fail_memory(asked, p.all_in_use());
  p.count_handed_out(bytes);
  return block;
}

void free_large(Pool& p, std::byte* block, std::size_t asked) noexcept {
  const std::size_t bytes = rounded_large(asked);
  const std::lock_guard lock(p.mutex);
  p.in_use -= static_cast<std::int64_t>(bytes);
  p.ranges.give(block, bytes);
}

/// Enters the thread among those that count for themselves, until it ends.
bool open_own() {
  struct Entry {
    Entry() {
      Pool& p = pool();
      const std::lock_guard lock(p.mutex);
      p.threads.push_back(&own);
      own.state = Own::State::open;
    }
    ~Entry() {
      Pool& p = pool();
      const std::lock_guard lock(p.mutex);
      share_own(p);
      p.in_use += own.in_use.get();
      own.in_use.set(0);
      std::erase(p.threads, &own);
      own.state = Own::State::closed;
    }
  };
  if (own.state == Own::State::fresh) static thread_local Entry entry;
  return own.state == Own::State::open;
}

/// A block of the thread's own; null where it has none.
std::byte* take_own(SizeClass size) {
  BlockList& list = own.lists[size.index];
  Block* block = list.first;
  if (block == nullptr) return nullptr;
  list.first = block->next;
  --list.blocks;
  own.cached.subtract(size.bytes);
  own.in_use.add(size.bytes);
  if (own.in_use.get() > own.seen.get()) {
    Pool& p = pool();
    const std::lock_guard lock(p.mutex);
    p.note_peak();
    own.seen.set(own.in_use.get());
  }
  return reinterpret_cast<std::byte*>(block);
}

/// False where the thread keeps no more of this class.
bool keep_own(std::byte* block, SizeClass size) {
  BlockList& list = own.lists[size.index];
  if (list.blocks >= std::max(kOwnBlocks, kOwnBytes / size.bytes) || !open_own()) return false;
  list.first = new (block) Block{list.first};
  ++list.blocks;
  own.cached.add(size.bytes);
  own.in_use.subtract(size.bytes);
  return true;
}

}  // namespace

namespace detail {

std::byte* allocate_block(std::size_t bytes) {
  if (bytes <= kSmall) {
    if (std::byte* block = take_own(class_of(bytes))) return block;
  }
  Pool& p = pool();
  if (bytes > kMost) {
    const std::lock_guard lock(p.mutex);
    fail_memory(bytes, p.all_in_use());
  }
  if (bytes > kLarge) return allocate_large(p, bytes);
  const SizeClass size = class_of(bytes);
  {
    const std::lock_guard lock(p.mutex);
    auto& list = p.free[size.index];
    if (!list.empty()) {
      std::byte* block = list.back();
      list.pop_back();
      p.cached -= static_cast<std::int64_t>(size.bytes);
      p.count_handed_out(size.bytes);
      return block;
    }
    ++p.system_allocations;
  }
  profile::allocated(size.bytes);
  std::byte* block = ask_system(size.bytes);
  const std::lock_guard lock(p.mutex);
  if (block == nullptr) {  // what is cached for other sizes may make room
    release(p);
    block = ask_system(size.bytes);
  }
  if (block == nullptr) fail_memory(bytes, p.all_in_use());
  // Room in its list, so that giving it back never asks for memory.
  p.free[size.index].reserve(++p.blocks[size.index]);
  p.count_handed_out(size.bytes);
  return block;
}

void free_block(std::byte* block, std::size_t bytes) noexcept {
  Pool& p = pool();
  if (bytes > kLarge) return free_large(p, block, bytes);
  const SizeClass size = class_of(bytes);
  if (bytes <= kSmall && keep_own(block, size)) return;
  const std::lock_guard lock(p.mutex);
  p.in_use -= static_cast<std::int64_t>(size.bytes);
  p.cached += static_cast<std::int64_t>(size.bytes);
  p.free[size.index].push_back(block);
}

}  // namespace detail

MemoryStats memory_stats() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  std::int64_t cached = p.cached + static_cast<std::int64_t>(p.ranges.bytes());
  for (const Own* thread : p.threads) cached += thread->cached.get();
  const std::int64_t in_use = p.all_in_use();
  return {static_cast<std::size_t>(in_use), static_cast<std::size_t>(std::max(p.peak, in_use)),
          static_cast<std::size_t>(cached), p.system_allocations};
}

void reset_peak_memory() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  p.peak = p.all_in_use();
  for (Own* thread : p.threads) thread->seen.set(thread->in_use.get());
}

void release_cached_memory() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  release(p);
}

}  // namespace tandem
