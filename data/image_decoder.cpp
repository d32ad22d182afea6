// Decoding of JPEG and PNG through stb_image, which is seen by this file alone, with memory from DecodingMemory and
// assertions that throw; BMP is decoded in image_format_bmp.cpp, whose files stb_image refuses where parts have gaps
// between them. See image_decoder.h.
//
// stb_image 2.27 trusts some of what it reads. What could make it leave its buffers is refused before
// (image_format_jpeg.cpp: Huffman counts), and blocks are zero at first, since it reads
// tables and palettes that a file may have left out. Arithmetic on damaged coefficients wraps: -fwrapv, CMakeLists.txt.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>

#include <tandem/core/error.h>
#include <tandem/data/image_decoder.h>

namespace {

thread_local tandem::DecodingMemory* decoding_memory_in_use = nullptr;

struct DecoderAssertion : std::exception {
  const char* what() const noexcept override { return "the decoder's own check failed"; }
};

void* decoder_allocate(std::size_t bytes) { return decoding_memory_in_use->allocate(bytes); }
void* decoder_reallocate(void* block, std::size_t bytes) { return decoding_memory_in_use->reallocate(block, bytes); }
void decoder_free(void* block) { decoding_memory_in_use->free(block); }
void decoder_assert(bool holds) {
  if (!holds) throw DecoderAssertion();
}

}  // namespace

#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_MALLOC(bytes) decoder_allocate(bytes)
#define STBI_REALLOC(block, bytes) decoder_reallocate(block, bytes)
#define STBI_FREE(block) decoder_free(block)
#define STBI_ASSERT(condition) decoder_assert(condition)
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"  // round our own macros
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace tandem {

// In front of what the decoder gets; keeps its alignment.
struct alignas(std::max_align_t) DecodingMemory::Block {
  Block *previous, *next;
  std::size_t bytes;  // with this

  void* content() { return this + 1; }
  static Block* of(void* content) { return static_cast<Block*>(content) - 1; }
};

DecodingMemory::~DecodingMemory() {
  while (first_ != nullptr) free(first_->content());
}

void* DecodingMemory::allocate(std::size_t bytes) {
  const auto available = static_cast<std::size_t>(std::max<std::int64_t>(limit_ - used_, 0));
  void* memory = available >= sizeof(Block) && bytes <= available - sizeof(Block)
                     ? std::calloc(1, sizeof(Block) + bytes)
                     : nullptr;
  if (memory == nullptr) {
    is_exhausted_ = true;
    return nullptr;
  }
  Block* block = new (memory) Block{nullptr, first_, sizeof(Block) + bytes};
  if (first_ != nullptr) first_->previous = block;
  first_ = block;
  used_ += static_cast<std::int64_t>(block->bytes);
  peak_ = std::max(peak_, used_);
  return block->content();
}

void* DecodingMemory::reallocate(void* block, std::size_t bytes) {
  void* larger = allocate(bytes);
  if (larger == nullptr || block == nullptr) return larger;
  std::memcpy(larger, block, std::min(bytes, Block::of(block)->bytes - sizeof(Block)));
  free(block);
  return larger;
}

void DecodingMemory::free(void* content) {
  if (content == nullptr) return;
  Block* block = Block::of(content);
  if (block->previous != nullptr) {
    block->previous->next = block->next;
  } else {
    first_ = block->next;
  }
  if (block->next != nullptr) block->next->previous = block->previous;
  used_ -= static_cast<std::int64_t>(block->bytes);
  std::free(block);
}

namespace {

// Makes a memory that of the decoder on this thread.
class InUse {
 public:
  explicit InUse(DecodingMemory& memory) { decoding_memory_in_use = &memory; }
  ~InUse() { decoding_memory_in_use = nullptr; }
  InUse(const InUse&) = delete;
  InUse& operator=(const InUse&) = delete;
};

// Channels 1: grey, 2: grey and alpha, 3: colours, 4: colours and alpha.
template <int kChannels>
void to_colours(const std::uint8_t* x, std::int64_t count, std::uint8_t* y) {
  constexpr int kColours = kChannels < 3 ? 1 : 3;
  for (std::int64_t i = 0; i < count; ++i, x += kChannels, y += 3) {
    const int alpha = kChannels % 2 == 0 ? x[kColours] : 255;
    for (int c = 0; c < 3; ++c) {
      y[c] = over_white(x[kColours == 1 ? 0 : c], alpha);
    }
  }
}

[[noreturn]] void fail_decoding(const std::string& name, std::string_view reason) {
  fail(name, "the image file is damaged", fmt::format("expected coded pixels, found \"{}\" by the decoder", reason),
       "get it anew");
}

}  // namespace

std::int64_t memory_limit(const ImageHeader& header, std::int64_t file_bytes, const ImageLimits& limits) {
  return std::min(limits.memory, decoding_memory(header.height, header.width, file_bytes));
}

Pixels decode_pixels(std::string_view bytes, const std::string& name, const ImageHeader& header,
                     DecodingMemory& memory) {
  if (header.kind == ImageKind::bmp) {
    Pixels pixels{header.height, header.width, {}};
    pixels.bytes.resize(static_cast<std::size_t>(3 * header.height * header.width));
    decode_bmp(ImageBytes(bytes, name), ImageLimits{.pixels = header.height * header.width}, pixels.bytes.data());
    return pixels;
  }
  const InUse scope(memory);
  std::string full;
  if (header.kind == ImageKind::png && header.has_palette) bytes = full = with_full_palette(bytes);
  int width = 0, height = 0, channels = 0;
  const stbi_uc* decoded = nullptr;
  std::string reason;
  try {
    decoded = stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()), static_cast<int>(bytes.size()),
                                    &width, &height, &channels, 0);
    if (decoded == nullptr && stbi_failure_reason() != nullptr) reason = stbi_failure_reason();
  } catch (const DecoderAssertion& assertion) {
    reason = assertion.what();
  }
  if (decoded == nullptr && memory.is_exhausted()) {
    fail(name, "the image needs too much memory",
         fmt::format("expected at most {} bytes for {}x{} pixels, found more", memory.limit(), header.width,
                     header.height),
         "make it smaller, raise ImageLimits.memory, or get it anew");
  }
  if (decoded == nullptr) fail_decoding(name, reason);
  if (width != header.width || height != header.height) fail_decoding(name, "another size than in the header");
  Pixels pixels{header.height, header.width, {}};
  const std::int64_t count = header.height * header.width;
  pixels.bytes.resize(static_cast<std::size_t>(3 * count));
  const auto convert = channels == 1   ? to_colours<1>
                       : channels == 2 ? to_colours<2>
                       : channels == 3 ? to_colours<3>
                                       : to_colours<4>;
  convert(decoded, count, pixels.bytes.data());
  return pixels;
}

Pixels decode_checked(std::string_view bytes, const std::string& name, const ImageLimits& limits) {
  const ImageHeader header = check_image(bytes, name, limits);
  DecodingMemory memory(memory_limit(header, static_cast<std::int64_t>(bytes.size()), limits));
  return decode_pixels(bytes, name, header, memory);
}

}  // namespace tandem
