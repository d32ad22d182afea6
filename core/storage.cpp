// Buffers, and Storages that move between them. See storage.h.
#include <atomic>
#include <cassert>
#include <cstring>

#include <tandem/core/allocator.h>
#include <tandem/core/capture.h>
#include <tandem/core/storage.h>

namespace tandem {

namespace {

std::atomic<void (*)(std::uint64_t)> packed_copy_reaper{nullptr};

/// A thread draws ids by the thousand: the counter that all share would cost more than a Storage.
std::uint64_t new_id() {
  constexpr std::uint64_t kDrawn = 1024;
  static std::atomic<std::uint64_t> next_drawn{1};
  static constinit thread_local std::uint64_t next = 0, end = 0;
  if (next == end) {
    next = next_drawn.fetch_add(kDrawn, std::memory_order_relaxed);
    end = next + kDrawn;
  }
  return next++;
}

}  // namespace

Buffer::Buffer(std::size_t bytes) : data_(detail::allocate_block(bytes)), bytes_(bytes) {}

Buffer::~Buffer() { detail::free_block(data_, bytes_); }

Storage::Storage(std::size_t bytes) : data_(detail::allocate_block(bytes)), bytes_(bytes), id_(new_id()) {
  if (capture::is_on()) capture::detail::tape->add_new(this);
}

Storage::Storage(std::shared_ptr<Buffer> buffer, std::size_t begin, std::size_t bytes)
    : buffer_(std::move(buffer)), data_(buffer_->data() + begin), begin_(begin), bytes_(bytes), id_(new_id()) {
  assert(begin + bytes <= buffer_->bytes());
  if (capture::is_on()) capture::detail::tape->add_new(this);
}

Storage::~Storage() {
  if (!buffer_) detail::free_block(data_, bytes_);
  if (!has_packed_copies_) return;
  if (auto* reaper = packed_copy_reaper.load()) reaper(id_);
}

void Storage::move_to(std::shared_ptr<Buffer> buffer, std::size_t begin) {
  assert(begin + bytes_ <= buffer->bytes());
  std::memcpy(buffer->data() + begin, data_, bytes_);
  if (!buffer_) detail::free_block(data_, bytes_);
  buffer_ = std::move(buffer);
  begin_ = begin;
  data_ = buffer_->data() + begin;
}

void set_packed_copy_reaper(void (*reaper)(std::uint64_t id)) { packed_copy_reaper.store(reaper); }

}  // namespace tandem
