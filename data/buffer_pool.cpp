// See buffer_pool.h.
#include <tandem/data/buffer_pool.h>

namespace tandem {

BufferPool::BufferPool(std::size_t bytes, std::size_t count) : bytes_(bytes) {
  free_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) free_.push_back(std::make_unique<Buffer>(bytes_));
}

std::shared_ptr<Buffer> BufferPool::take() {
  std::unique_ptr<Buffer> buffer;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      buffer = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!buffer) buffer = std::make_unique<Buffer>(bytes_);
  return {buffer.release(), [pool = shared_from_this()](Buffer* returned) { pool->give_back(returned); }};
}

void BufferPool::give_back(Buffer* buffer) {
  std::unique_ptr<Buffer> owned(buffer);
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(owned));
}

}  // namespace tandem
