// Decoding of an image whose structure has been checked (image_format.h), in memory that is counted and limited.
// Private to data; the decoder behind it is hidden in image_decoder.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/data/image_format.h>

namespace tandem {

/// One picture on its way into a data set: pixels [height, width, 3].
struct Pixels {
  std::int64_t height = 0, width = 0;
  std::vector<std::uint8_t> bytes;
};

/// The blocks that one decoding holds, all of them zero at first. What is left at the end is freed by the destructor,
/// so that no fault of a decoder leaks. Used by one thread.
class DecodingMemory {
 public:
  explicit DecodingMemory(std::int64_t limit) : limit_(limit) {}
  ~DecodingMemory();
  DecodingMemory(const DecodingMemory&) = delete;
  DecodingMemory& operator=(const DecodingMemory&) = delete;

  /// Null where the limit would be passed; is_exhausted() then says so.
  void* allocate(std::size_t bytes);
  void* reallocate(void* block, std::size_t bytes);
  void free(void* block);

  std::int64_t limit() const { return limit_; }
  std::int64_t peak() const { return peak_; }
  bool is_exhausted() const { return is_exhausted_; }

 private:
  struct Block;
  Block* first_ = nullptr;
  std::int64_t limit_, used_ = 0, peak_ = 0;
  bool is_exhausted_ = false;
};

/// The limit for this file: the smaller of limits.memory and decoding_memory().
std::int64_t memory_limit(const ImageHeader& header, std::int64_t file_bytes, const ImageLimits& limits);

/// The picture; colours as image.h says. Throws Error where the coded data are damaged or the memory does not do.
Pixels decode_pixels(std::string_view bytes, const std::string& name, const ImageHeader& header,
                     DecodingMemory& memory);

/// All three steps: the check, the memory, the picture.
Pixels decode_checked(std::string_view bytes, const std::string& name, const ImageLimits& limits);

/// The bytes of an image file, of a size within the limits.
std::string read_image_bytes(const std::filesystem::path& path, const ImageLimits& limits);

}  // namespace tandem
