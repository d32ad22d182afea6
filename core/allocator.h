// The caching allocator under every Buffer: freed blocks are kept by size class and handed out again,
// so that after its first step a training loop asks the system for no memory. Thread-safe.
#pragma once

#include <cstddef>

namespace tandem {

struct MemoryStats {
  std::size_t bytes_in_use = 0;  ///< in blocks that are handed out
  /// The largest bytes_in_use since the start or reset_peak_memory(). Blocks of at most 16 KiB count for each thread
  /// apart: small ones that several threads take at once may be missing.
  std::size_t peak_bytes = 0;
  std::size_t bytes_cached = 0;        ///< in freed blocks that are kept
  std::size_t system_allocations = 0;  ///< how often the system was asked, ever
};

MemoryStats memory_stats();
void reset_peak_memory();
/// Gives every cached block back to the system, but for the few small ones that other threads keep.
void release_cached_memory();

namespace detail {
std::byte* allocate_block(std::size_t bytes);
void free_block(std::byte* block, std::size_t bytes) noexcept;
}  // namespace detail

}  // namespace tandem
