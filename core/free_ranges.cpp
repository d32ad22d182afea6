// Best fit over sorted lists, which have at most one range more than there are blocks in use. See free_ranges.h.
// Memory is advised as huge pages: first touches and TLB misses of activations are otherwise a measurable part of a
// step. Pages that nobody touches cost nothing, so mappings grow by more than is asked for; and blocks come from the
// ends of ranges, so that what is untouched lies where the next mapping will touch it. From the beginnings of ranges,
// mapped wherever the system liked, the transformer of the benchmark had 196 MB of pages for a peak of 155.
#include <tandem/core/free_ranges.h>

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace tandem::detail {

namespace {

constexpr std::size_t kHuge = std::size_t{2} << 20, kGrowth = std::size_t{32} << 20;
constexpr std::size_t kSpan = std::size_t{1} << 40;  // of addresses; less where there are not so many

std::size_t whole_pages(std::size_t bytes) { return (bytes + kHuge - 1) / kHuge * kHuge; }

/// `bytes` of addresses from a multiple of kHuge on, to be used as `protection` says; null where there are none.
std::byte* map_pages(std::size_t bytes, int protection) {
  void* const place = mmap(nullptr, bytes + kHuge, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return nullptr;
  auto* const whole = static_cast<std::byte*>(place);
  const std::size_t after = reinterpret_cast<std::uintptr_t>(whole) % kHuge, before = kHuge - after;
  std::byte* const begin = whole + before;
  munmap(whole, before);
  if (after > 0) munmap(begin + bytes, after);
  return begin;
}

}  // namespace

std::byte* RangeList::take(std::size_t bytes) noexcept {
  auto best = ranges.end();
  for (auto it = ranges.begin(); it != ranges.end(); ++it) {
    if (it->bytes >= bytes && (best == ranges.end() || it->bytes < best->bytes)) best = it;
  }
  if (best == ranges.end()) return nullptr;
  best->bytes -= bytes;
  std::byte* const block = best->begin + best->bytes;
  if (best->bytes == 0) ranges.erase(best);
  return block;
}

void RangeList::insert(std::byte* begin, std::size_t bytes) noexcept {
  const auto next = std::lower_bound(ranges.begin(), ranges.end(), begin,
                                     [](const Range& range, const std::byte* place) { return range.begin < place; });
  const bool joins_next = next != ranges.end() && begin + bytes == next->begin;
  if (next != ranges.begin() && (next - 1)->begin + (next - 1)->bytes == begin) {
    (next - 1)->bytes += bytes + (joins_next ? next->bytes : 0);
    if (joins_next) ranges.erase(next);
  } else if (joins_next) {
    next->begin = begin;
    next->bytes += bytes;
  } else {
    ranges.insert(next, {begin, bytes});
  }
}

std::byte* FreeRanges::take(std::size_t bytes) {
  reserve();
  std::byte* const block = free_.take(bytes);
  if (block == nullptr) return nullptr;
  bytes_ -= bytes;
  ++blocks_;
  return block;
}

std::byte* FreeRanges::map(std::size_t bytes) {
  reserve();
  if (std::byte* const block = empty_.take(bytes)) {
    ++blocks_;
    return block;
  }
  if (!has_span_) {
    has_span_ = true;
    for (std::size_t size = kSpan; span_ == nullptr && size > kGrowth; size /= 2) {
      span_ = map_pages(size, PROT_NONE);
      if (span_ != nullptr) lowest_ = end_ = span_ + size;
    }
  }
  const bool touches = !free_.ranges.empty() && free_.ranges.front().begin == lowest_;
  const std::size_t missing = whole_pages(bytes - (touches ? free_.ranges.front().bytes : 0));
  if (extend(std::max(missing, kGrowth)) || extend(missing)) return take(bytes);
  std::byte* const pages = map_pages(whole_pages(bytes), PROT_READ | PROT_WRITE);  // the span is used up
  if (pages == nullptr) return nullptr;
  free_.insert(pages, whole_pages(bytes));
  bytes_ += whole_pages(bytes);
  return take(bytes);
}

/// Maps the next part of the span; false where there is none, or no memory.
bool FreeRanges::extend(std::size_t bytes) {
  if (static_cast<std::size_t>(lowest_ - span_) < bytes) return false;
  if (mprotect(lowest_ - bytes, bytes, PROT_READ | PROT_WRITE) != 0) return false;
  lowest_ -= bytes;
  madvise(lowest_, bytes, MADV_HUGEPAGE);
  free_.insert(lowest_, bytes);
  bytes_ += bytes;
  return true;
}

void FreeRanges::give(std::byte* block, std::size_t bytes) noexcept {
  free_.insert(block, bytes);
  bytes_ += bytes;
  --blocks_;
}

void FreeRanges::release() {
  reserve();
  for (const auto& [begin, bytes] : free_.ranges) {
    if (begin >= lowest_ && begin < end_) {
      madvise(begin, bytes, MADV_DONTNEED);
      empty_.insert(begin, bytes);
    } else {
      munmap(begin, bytes);
    }
  }
  free_.ranges.clear();
  bytes_ = 0;
}

/// Between two free ranges lies at least one block: those in use, one more, and what is left of it, and one range.
void FreeRanges::reserve() {
  const std::size_t most = 2 * (blocks_ + 2) + free_.ranges.size() + empty_.ranges.size();
  for (RangeList* list : {&free_, &empty_}) {
    if (list->ranges.capacity() < most) list->ranges.reserve(2 * most);
  }
}

}  // namespace tandem::detail
