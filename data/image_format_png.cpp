// The structure of a PNG file (ISO/IEC 15948): a signature, then chunks of length, type, data and a checksum, from IHDR
// to IEND. See image_format.h.
#include <zlib.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/data/image_format.h>

namespace tandem {

namespace {

constexpr std::size_t kSignature = 8;
constexpr std::uint32_t kLongest = 0x7fffffff;
constexpr std::size_t kFullPalette = 3 * 256;

struct Chunk {
  std::size_t at;  // of its data
  std::uint32_t length;
  std::string_view type;

  std::size_t end() const { return at + length + 4; }
};

Chunk read_chunk(const ImageBytes& file, std::size_t at) {
  if (at == file.size()) file.truncated("an IEND chunk");
  file.require(at, 8, "the head of a chunk");
  const Chunk chunk{at + 8, file.big32(at), file.text(at + 4, 4)};
  if (chunk.length > kLongest)
    file.damaged(fmt::format("a chunk of at most {} bytes", kLongest), fmt::format("{} at byte {}", chunk.length, at));
  return chunk;
}

// Damage inside a chunk shows here and nowhere else.
void check_sum(const ImageBytes& file, const Chunk& chunk) {
  file.require(chunk.at, std::size_t{chunk.length} + 4, "a chunk");
  const std::string_view data = file.text(chunk.at - 4, std::size_t{chunk.length} + 4);  // with the type
  const auto found = static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
  if (const std::uint32_t expected = file.big32(chunk.at + chunk.length); found != expected)
    file.damaged(fmt::format("checksum {:08x} of the chunk at byte {}", expected, chunk.at - 8),
                 fmt::format("{:08x}", found));
}

bool is_allowed(std::uint32_t colour, std::uint32_t bits) {
  const bool is_small = bits == 1 || bits == 2 || bits == 4;
  switch (colour) {
    case 0:  // grey
      return is_small || bits == 8 || bits == 16;
    case 3:  // palette
      return is_small || bits == 8;
    case 2:  // colours
    case 4:  // grey, alpha
    case 6:  // colours, alpha
      return bits == 8 || bits == 16;
    default:
      return false;
  }
}

ImageHeader read_header(const ImageBytes& file, const Chunk& chunk, const ImageLimits& limits) {
  if (chunk.type != "IHDR" || chunk.length != 13) file.damaged("a header (IHDR) of 13 bytes", "another chunk");
  check_sum(file, chunk);
  const std::uint32_t width = file.big32(chunk.at), height = file.big32(chunk.at + 4);
  if (width > kLongest || height > kLongest)
    file.damaged("sides below 2^31", fmt::format("{}x{} pixels", width, height));
  file.check_size(height, width, limits);
  const std::uint32_t bits = file.byte(chunk.at + 8), colour = file.byte(chunk.at + 9);
  if (!is_allowed(colour, bits))
    file.damaged("a colour type and depth of the standard", fmt::format("type {}, {} bits", colour, bits));
  if (file.big16(chunk.at + 10) != 0 || file.byte(chunk.at + 12) > 1)
    file.damaged("the compression, filter and interlacing of the standard", "others");
  return {ImageKind::png, height, width, colour == 3};
}

}  // namespace

ImageHeader check_png(const ImageBytes& file, const ImageLimits& limits) {
  Chunk chunk = read_chunk(file, kSignature);
  if (chunk.type == "CgBI") file.not_read("a PNG file of the standard", "Apple's own kind, of an iPhone's program");
  const ImageHeader header = read_header(file, chunk, limits);
  bool has_palette = false, has_data = false;
  while (chunk.type != "IEND") {
    chunk = read_chunk(file, chunk.end());
    check_sum(file, chunk);
    const bool is_critical = (chunk.type[0] & 0x20) == 0;
    if (chunk.type == "PLTE") {
      if (has_palette || has_data || chunk.length % 3 != 0 || chunk.length == 0 || chunk.length > kFullPalette)
        file.damaged("one palette of 1 to 256 colours before the data", fmt::format("{} bytes", chunk.length));
      has_palette = true;
    } else if (chunk.type == "IDAT") {
      if (header.has_palette && !has_palette) file.damaged("a palette before the data", "none");
      has_data = true;
    } else if (is_critical && chunk.type != "IEND") {
      file.not_read("the chunks of the standard", fmt::format("one that is not, at byte {}", chunk.at - 8));
    }
  }
  if (!has_data) file.damaged("image data (IDAT)", "none");
  return header;
}

std::string with_full_palette(std::string_view png) {
  const std::string name;
  const ImageBytes file(png, name);
  Chunk chunk = read_chunk(file, kSignature);
  while (chunk.type != "PLTE") chunk = read_chunk(file, chunk.end());
  std::string full(png.substr(0, chunk.at - 8));
  full.append({0, 0, static_cast<char>(kFullPalette >> 8), static_cast<char>(kFullPalette & 0xff)});
  full.append("PLTE").append(png.substr(chunk.at, chunk.length));
  full.append(kFullPalette - chunk.length + 4, '\0');  // and a checksum, which nobody reads
  return full.append(png.substr(chunk.end()));
}

}  // namespace tandem
