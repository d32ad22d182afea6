// BufferPool: buffers of one size that come back when their last Storage dies, from whatever thread.
// Private to data. It exists beside the caching allocator so that the number of batches in flight, which depends on
// timing, never makes a step ask the system for memory: all buffers are there from the start.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include <tandem/core/storage.h>

namespace tandem {

class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  /// `count` buffers are made at once, further ones when more are held.
  BufferPool(std::size_t bytes, std::size_t count);

  /// A buffer with undefined contents. It outlives the pool's owner if need be.
  std::shared_ptr<Buffer> take();

 private:
  void give_back(Buffer* buffer);

  std::mutex mutex_;
  std::size_t bytes_;
  std::vector<std::unique_ptr<Buffer>> free_;
};

}  // namespace tandem
