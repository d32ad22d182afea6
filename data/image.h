// Reading image files: JPEG, PNG or BMP in, one picture of three colours in bytes out. A file is taken for hostile: its
// structure is checked before anything is decoded, and the memory of decoding is counted and limited.
// Not here: folders of them (image_folder.h), another size (resize.h), writing (png.h).
//
//   any file of the three     colours are made of it so
//   grey, palette             the same byte three times; the palette's colours
//   16 bits                   the upper byte of each value
//   alpha, transparent index  composed over white: round((alpha * v + (255 - alpha) * 255) / 255)
//   CMYK JPEG                 Adobe's, inverted: R = C * K / 255; one without Adobe's marker is refused
//   colour profile, gamma, EXIF orientation: not applied, as PyTorch and Pillow do not unless asked
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <tandem/core/array.h>

namespace tandem {

/// Sides that pictures may be brought to.
inline constexpr std::int64_t kLongestSide = 1 << 14;

/// What a file may cost; larger ones are refused by their header, before anything is decoded.
struct ImageLimits {
  std::int64_t pixels = std::int64_t{1} << 26;      ///< width * height; 64 Mi
  std::int64_t file_bytes = std::int64_t{1} << 28;  ///< 256 MiB
  /// Bytes that decoding holds at once, besides the file and the picture that comes out; 1 GiB. The limit in force is
  /// the smaller of this and decoding_memory().
  std::int64_t memory = std::int64_t{1} << 30;
};

/// What decoding an honest file of so many pixels and bytes needs at most:
/// 32 (width + 32) (height + 32) + 3 file_bytes + 1 MiB.
std::int64_t decoding_memory(std::int64_t height, std::int64_t width, std::int64_t file_bytes);

/// The picture in a file: u8 [1, 3, H, W], channels-last. The format is told by the content, not by the name.
/// Throws Error naming the file, what was expected, what was found and what to do: not one of the formats, truncated,
/// damaged (PNG: by its checksums; JPEG has none, so damage inside its coded data shows only where it breaks the code),
/// a side of zero, over a limit, a kind that is not read (lossless, arithmetic or 12-bit JPEG, BMP with run lengths,
/// Apple's PNG).
/// May be called from several threads at once.
Array read_image(const std::filesystem::path& path, const ImageLimits& limits = {});

/// The same for the bytes of a file; `name` stands for it in errors.
Array decode_image(std::string_view bytes, const std::string& name, const ImageLimits& limits = {});

}  // namespace tandem
