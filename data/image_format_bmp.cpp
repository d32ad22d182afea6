// The structure of a BMP file: a file header of 14 bytes, an image header, masks or a palette, rows of pixels padded to
// four bytes. See image_format.h.
#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include <tandem/data/image_format.h>

namespace tandem {

namespace {

constexpr std::size_t kFileHeader = 14;

// Every index of an image with a palette has a colour there.
void check_indices(const ImageBytes& file, const ImageHeader& header, std::size_t offset, std::size_t row,
                   std::uint32_t bits, std::uint32_t colours) {
  if (colours >= (1U << bits)) return;
  const std::uint32_t mask = (1U << bits) - 1;
  for (std::int64_t i = 0; i < header.height; ++i) {
    const std::string_view pixels = file.text(offset + static_cast<std::size_t>(i) * row, row);
    for (std::int64_t j = 0; j < header.width; ++j) {
      const auto bit = static_cast<std::size_t>(j) * bits;
      const std::uint32_t index = static_cast<std::uint8_t>(pixels[bit / 8]) >> (8 - bits - bit % 8) & mask;
      if (index >= colours)
        file.damaged(fmt::format("indices into a palette of {} colours", colours),
                     fmt::format("{} in row {}", index, i));
    }
  }
}

}  // namespace

ImageHeader check_bmp(const ImageBytes& file, const ImageLimits& limits) {
  file.require(0, kFileHeader + 4, "a header");
  const std::size_t offset = file.little32(10), head = file.little32(kFileHeader);
  constexpr std::array<std::size_t, 4> kHeads{40, 56, 108, 124};
  if (std::find(kHeads.begin(), kHeads.end(), head) == kHeads.end())
    file.not_read("a header of 40, 56, 108 or 124 bytes (Windows 3 or later)", fmt::format("{} bytes", head));
  file.require(kFileHeader, head, "a header");
  const std::int64_t width = static_cast<std::int32_t>(file.little32(18));
  const std::int64_t height = std::abs(std::int64_t{static_cast<std::int32_t>(file.little32(22))});
  file.check_size(height, width, limits);
  const std::uint32_t planes = file.little16(26), bits = file.little16(28), compression = file.little32(30);
  if (planes != 1) file.damaged("1 plane", fmt::format("{}", planes));
  constexpr std::array<std::uint32_t, 6> kBits{1, 4, 8, 16, 24, 32};
  if (std::find(kBits.begin(), kBits.end(), bits) == kBits.end())
    file.damaged("1, 4, 8, 16, 24 or 32 bits a pixel", fmt::format("{}", bits));
  if (compression != 0 && compression != 3)
    file.not_read("pixels without compression", fmt::format("compression {}", compression));
  const ImageHeader header{ImageKind::bmp, height, width, bits <= 8};
  const std::size_t end = kFileHeader + head + (compression == 3 && head == 40 ? 12 : 0);
  const std::size_t row = (static_cast<std::size_t>(width) * bits + 31) / 32 * 4;
  if (offset < end) file.damaged(fmt::format("pixels from byte {} on", end), fmt::format("byte {}", offset));
  file.require(offset, row * static_cast<std::size_t>(height), "pixels");
  if (header.has_palette) {
    const std::size_t colours = (offset - end) / 4;
    if (colours < 1 || colours > 256 || compression != 0)
      file.damaged("a palette of 1 to 256 colours", fmt::format("{}", colours));
    check_indices(file, header, offset, row, bits, static_cast<std::uint32_t>(colours));
  }
  return header;
}

}  // namespace tandem
