// BMP files, checked and decoded: a file header of 14 bytes, an image header, masks or a palette, rows of pixels padded
// to four bytes. See image_format.h. Between the parts there may be gaps, as Photoshop and others leave them.
//
//   bits a pixel   what they are
//   1, 4, 8        indices into the palette of (blue, green, red, nothing)
//   16, 32         fields by three masks and one of alpha; without masks 5-5-5 and 8-8-8, the rest unused
//   24             blue, green, red
#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include <fmt/format.h>

#include <tandem/data/image_format.h>

namespace tandem {

namespace {

constexpr std::size_t kFileHeader = 14, kMasks = kFileHeader + 40, kColoursUsed = kFileHeader + 32;
constexpr std::uint32_t kPlain = 0, kFields = 3;  // compression

struct Bmp {
  std::int64_t height = 0, width = 0;
  bool is_top_down = false;
  std::uint32_t bits = 0, colours = 0;
  std::size_t palette = 0, pixels = 0, row = 0;  // where they begin; bytes of a row
  std::array<std::uint32_t, 4> masks{};          // red, green, blue, alpha

  std::size_t row_at(std::int64_t i) const {
    return pixels + static_cast<std::size_t>(is_top_down ? i : height - 1 - i) * row;
  }
};

// Contiguous bits.
bool is_field(std::uint32_t mask) {
  return mask != 0 && (mask >> std::countr_zero(mask) & ((mask >> std::countr_zero(mask)) + 1)) == 0;
}

std::array<std::uint32_t, 4> read_masks(const ImageBytes& file, std::size_t head, std::uint32_t bits,
                                        std::uint32_t compression) {
  if (compression == kPlain && bits == 16) return {0x7c00, 0x03e0, 0x001f, 0};
  if (compression == kPlain) return {0xff0000, 0x00ff00, 0x0000ff, 0};
  std::array<std::uint32_t, 4> masks{file.little32(kMasks), file.little32(kMasks + 4), file.little32(kMasks + 8),
                                     head > 40 ? file.little32(kMasks + 12) : 0};
  for (std::size_t i = 0; i < 4; ++i) {
    if (!is_field(masks[i]) && (i < 3 || masks[i] != 0))
      file.damaged("masks of neighbouring bits", fmt::format("{:08x}", masks[i]));
  }
  return masks;
}

Bmp read_bmp(const ImageBytes& file, const ImageLimits& limits) {
  file.require(0, kFileHeader + 4, "a header");
  Bmp bmp;
  bmp.pixels = file.little32(10);
  const std::size_t head = file.little32(kFileHeader);
  constexpr std::array<std::size_t, 4> kHeads{40, 56, 108, 124};
  if (std::find(kHeads.begin(), kHeads.end(), head) == kHeads.end())
    file.not_read("a header of 40, 56, 108 or 124 bytes (Windows 3 or later)", fmt::format("{} bytes", head));
  file.require(kFileHeader, head, "a header");
  bmp.width = static_cast<std::int32_t>(file.little32(18));
  const std::int64_t height = static_cast<std::int32_t>(file.little32(22));
  bmp.height = std::abs(height);
  bmp.is_top_down = height < 0;
  file.check_size(bmp.height, bmp.width, limits);
  const std::uint32_t planes = file.little16(26), compression = file.little32(30);
  bmp.bits = file.little16(28);
  if (planes != 1) file.damaged("1 plane", fmt::format("{}", planes));
  constexpr std::array<std::uint32_t, 6> kBits{1, 4, 8, 16, 24, 32};
  if (std::find(kBits.begin(), kBits.end(), bmp.bits) == kBits.end())
    file.damaged("1, 4, 8, 16, 24 or 32 bits a pixel", fmt::format("{}", bmp.bits));
  if (compression != kPlain && compression != kFields)
    file.not_read("pixels without compression", fmt::format("compression {}", compression));
  if (compression == kFields && bmp.bits != 16 && bmp.bits != 32)
    file.damaged("16 or 32 bits a pixel for masks", fmt::format("{}", bmp.bits));
  const std::size_t end = kFileHeader + head + (compression == kFields && head == 40 ? 12 : 0);
  bmp.row = (static_cast<std::size_t>(bmp.width) * bmp.bits + 31) / 32 * 4;
  if (bmp.pixels < end) file.damaged(fmt::format("pixels from byte {} on", end), fmt::format("byte {}", bmp.pixels));
  file.require(bmp.pixels, bmp.row * static_cast<std::size_t>(bmp.height), "pixels");
  if (bmp.bits <= 8) {
    const std::uint32_t most = 1U << bmp.bits, used = file.little32(kColoursUsed);
    const std::size_t room = (bmp.pixels - end) / 4;
    bmp.palette = end;
    bmp.colours = static_cast<std::uint32_t>(std::min<std::size_t>(used == 0 ? most : std::min(used, most), room));
    if (bmp.colours < 1) file.damaged("a palette of 1 to 256 colours", fmt::format("{}", bmp.colours));
  } else {
    bmp.masks = read_masks(file, head, bmp.bits, compression);
  }
  return bmp;
}

std::uint32_t index_at(std::string_view row, std::int64_t j, std::uint32_t bits) {
  const auto bit = static_cast<std::size_t>(j) * bits;
  return static_cast<std::uint8_t>(row[bit / 8]) >> (8 - bits - bit % 8) & ((1U << bits) - 1);
}

// A field of fewer than eight bits is repeated downwards, so that the largest is 255; of more, the upper eight count.
std::uint8_t field_of(std::uint32_t pixel, std::uint32_t mask) {
  const int bits = std::popcount(mask);
  const std::uint32_t value = (pixel & mask) >> std::countr_zero(mask);
  if (bits >= 8) return static_cast<std::uint8_t>(value >> (bits - 8));
  std::uint32_t wide = value << (8 - bits);
  for (int have = bits; have < 8; have *= 2) wide |= wide >> have;
  return static_cast<std::uint8_t>(wide);
}

std::uint32_t pixel_at(std::string_view row, std::int64_t j, std::uint32_t bits) {
  std::uint32_t pixel = 0;
  const std::size_t bytes = bits / 8, at = static_cast<std::size_t>(j) * bytes;
  for (std::size_t i = 0; i < bytes; ++i)
    pixel |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(row[at + i])) << (8 * i);
  return pixel;
}

// Some writers leave alpha 0 everywhere, which nobody means.
bool has_alpha(const ImageBytes& file, const Bmp& bmp) {
  if (bmp.masks[3] == 0) return false;
  for (std::int64_t i = 0; i < bmp.height; ++i) {
    const std::string_view row = file.text(bmp.row_at(i), bmp.row);
    for (std::int64_t j = 0; j < bmp.width; ++j)
      if ((pixel_at(row, j, bmp.bits) & bmp.masks[3]) != 0) return true;
  }
  return false;
}

}  // namespace

ImageHeader check_bmp(const ImageBytes& file, const ImageLimits& limits) {
  const Bmp bmp = read_bmp(file, limits);
  const ImageHeader header{ImageKind::bmp, bmp.height, bmp.width, bmp.bits <= 8};
  if (!header.has_palette || bmp.colours >= (1U << bmp.bits)) return header;
  for (std::int64_t i = 0; i < bmp.height; ++i) {  // every index has a colour
    const std::string_view row = file.text(bmp.pixels + static_cast<std::size_t>(i) * bmp.row, bmp.row);
    for (std::int64_t j = 0; j < bmp.width; ++j) {
      if (const std::uint32_t index = index_at(row, j, bmp.bits); index >= bmp.colours)
        file.damaged(fmt::format("indices into a palette of {} colours", bmp.colours),
                     fmt::format("{} in row {}", index, i));
    }
  }
  return header;
}

void decode_bmp(const ImageBytes& file, const ImageLimits& limits, std::uint8_t* out) {
  const Bmp bmp = read_bmp(file, limits);
  const bool uses_alpha = has_alpha(file, bmp);
  for (std::int64_t i = 0; i < bmp.height; ++i) {
    const std::string_view row = file.text(bmp.row_at(i), bmp.row);
    for (std::int64_t j = 0; j < bmp.width; ++j, out += 3) {
      if (bmp.bits <= 8) {
        const std::size_t colour = bmp.palette + 4 * std::size_t{index_at(row, j, bmp.bits)};
        for (std::size_t c = 0; c < 3; ++c) out[c] = file.byte(colour + 2 - c);
        continue;
      }
      const std::uint32_t pixel = pixel_at(row, j, bmp.bits);
      for (std::size_t c = 0; c < 3; ++c) out[c] = field_of(pixel, bmp.masks[c]);
      if (!uses_alpha) continue;
      const std::uint8_t alpha = field_of(pixel, bmp.masks[3]);
      for (std::size_t c = 0; c < 3; ++c) out[c] = over_white(out[c], alpha);
    }
  }
}

}  // namespace tandem
