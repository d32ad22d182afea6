// Best fit over a sorted list, which has at most one range more than there are blocks in use. See free_ranges.h.
// Mappings are aligned to huge pages and advised as such: first touches and TLB misses of activations are otherwise a
// measurable part of a step. Pages that nobody touches cost nothing, so mappings grow by more than is asked for.
#include <tandem/core/free_ranges.h>

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace tandem::detail {

namespace {

constexpr std::size_t kHuge = std::size_t{2} << 20, kGrowth = std::size_t{32} << 20;

/// Whole huge pages. The system maps downwards; cut at its beginning, a mapping often touches the one before.
std::byte* map_pages(std::size_t bytes) {
  void* const place = mmap(nullptr, bytes + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return nullptr;
  auto* const whole = static_cast<std::byte*>(place);
  const std::size_t after = (reinterpret_cast<std::uintptr_t>(whole) + bytes + kHuge) % kHuge, before = kHuge - after;
  std::byte* const begin = whole + before;
  munmap(whole, before);
  if (after > 0) munmap(begin + bytes, after);
  madvise(begin, bytes, MADV_HUGEPAGE);
  return begin;
}

}  // namespace

std::byte* FreeRanges::take(std::size_t bytes) {
  reserve();
  auto best = ranges_.end();
  for (auto it = ranges_.begin(); it != ranges_.end(); ++it) {
    if (it->bytes >= bytes && (best == ranges_.end() || it->bytes < best->bytes)) best = it;
  }
  if (best == ranges_.end()) return nullptr;
  std::byte* const block = best->begin;
  best->begin += bytes;
  best->bytes -= bytes;
  if (best->bytes == 0) ranges_.erase(best);
  bytes_ -= bytes;
  ++blocks_;
  return block;
}

std::byte* FreeRanges::map(std::size_t bytes) {
  reserve();
  const std::size_t whole = (bytes + kHuge - 1) / kHuge * kHuge;
  std::size_t mapped = std::max(whole, kGrowth);
  std::byte* block = map_pages(mapped);
  if (block == nullptr && mapped > whole) block = map_pages(mapped = whole);
  if (block == nullptr) return nullptr;
  if (mapped > bytes) insert(block + bytes, mapped - bytes);
  ++blocks_;
  return block;
}

void FreeRanges::give(std::byte* block, std::size_t bytes) noexcept {
  insert(block, bytes);
  --blocks_;
}

void FreeRanges::release() {
  for (const Range& range : ranges_) munmap(range.begin, range.bytes);
  ranges_.clear();
  bytes_ = 0;
}

void FreeRanges::insert(std::byte* begin, std::size_t bytes) noexcept {
  bytes_ += bytes;
  const auto next = std::lower_bound(ranges_.begin(), ranges_.end(), begin,
                                     [](const Range& range, const std::byte* place) { return range.begin < place; });
  const bool joins_next = next != ranges_.end() && begin + bytes == next->begin;
  if (next != ranges_.begin() && (next - 1)->begin + (next - 1)->bytes == begin) {
    (next - 1)->bytes += bytes + (joins_next ? next->bytes : 0);
    if (joins_next) ranges_.erase(next);
  } else if (joins_next) {
    next->begin = begin;
    next->bytes += bytes;
  } else {
    ranges_.insert(next, {begin, bytes});
  }
}

/// Between two free ranges lies at least one block: those in use, one more, and what is left of it, and one range.
void FreeRanges::reserve() {
  const std::size_t most = 2 * (blocks_ + 2) + ranges_.size();
  if (ranges_.capacity() < most) ranges_.reserve(2 * most);
}

}  // namespace tandem::detail
