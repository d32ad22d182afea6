// Where large blocks of the allocator come from: ranges of mapped memory, cut from the free range that fits best and
// joined with their free neighbours, so that what one layer gives back serves another of any size (size classes kept
// half as much again as a ResNet-18 had in use). Private to allocator.cpp, whose lock holds for all of it.
#pragma once

#include <cstddef>
#include <vector>

namespace tandem::detail {

/// Free ranges in the order of addresses; two never touch. Where nothing is free, memory is mapped from the system.
class FreeRanges {
 public:
  /// Sizes are multiples of kStep; blocks are aligned to it.
  static constexpr std::size_t kStep = std::size_t{64} << 10;

  /// The lowest part of the smallest range that has so many bytes; null where none has.
  std::byte* take(std::size_t bytes);
  /// Maps memory for a block of so many bytes and keeps what is mapped beyond it; null where the system has none.
  std::byte* map(std::size_t bytes);
  /// Gives a block back. Asks for no memory, which take and map have done.
  void give(std::byte* block, std::size_t bytes) noexcept;
  /// Unmaps what is free.
  void release();

  std::size_t bytes() const { return bytes_; }  ///< that are free

 private:
  struct Range {
    std::byte* begin;
    std::size_t bytes;
  };
  void insert(std::byte* begin, std::size_t bytes) noexcept;
  void reserve();

  std::vector<Range> ranges_;
  std::size_t bytes_ = 0, blocks_ = 0;  // blocks that are handed out
};

}  // namespace tandem::detail
