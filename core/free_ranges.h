// Where large blocks of the allocator come from: ranges of mapped memory, cut from the free range that fits best and
// joined with their free neighbours, so that what one layer gives back serves another of any size (size classes kept
// half as much again as a ResNet-18 had in use). Private to allocator.cpp, whose lock holds for all of it.
#pragma once

#include <cstddef>
#include <vector>

namespace tandem::detail {

/// Free ranges in the order of addresses; two never touch.
class RangeList {
 public:
  /// The highest part of the smallest range that has so many bytes; null where none has.
  std::byte* take(std::size_t bytes) noexcept;
  void insert(std::byte* begin, std::size_t bytes) noexcept;

  struct Range {
    std::byte* begin;
    std::size_t bytes;
  };
  std::vector<Range> ranges;
};

/// Where nothing is free, memory is mapped from the system: parts of one span of addresses, from its end downwards, so
/// that new memory touches what is there.
class FreeRanges {
 public:
  /// Sizes are multiples of kStep; blocks are aligned to it.
  static constexpr std::size_t kStep = std::size_t{64} << 10;

  /// A block of what is free; null where no range is long enough.
  std::byte* take(std::size_t bytes);
  /// A block of new memory, of which more may be mapped; null where the system has none.
  std::byte* map(std::size_t bytes);
  /// Gives a block back. Asks for no memory, which take and map have done.
  void give(std::byte* block, std::size_t bytes) noexcept;
  /// Gives what is free back to the system.
  void release();

  std::size_t bytes() const { return bytes_; }  ///< that are free

 private:
  bool extend(std::size_t bytes);
  void reserve();

  RangeList free_, empty_;              // empty: addresses of the span without memory, once given back
  std::size_t bytes_ = 0, blocks_ = 0;  // blocks that are handed out
  std::byte *span_ = nullptr, *lowest_ = nullptr, *end_ = nullptr;  // of the span; mapped from lowest_ on
  bool has_span_ = false;
};

}  // namespace tandem::detail
