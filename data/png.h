// Writing pictures: bytes or floats in [0, 1] to PNG, and many small pictures laid out as one.
// Not here: reading (image.h).
//
//   write_png("grid.png", image_grid(outputs, {.columns = 8, .scale = 2}));
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tandem/core/array.h>

namespace tandem {

/// Bytes of values in [0, 1]: round(255 * v), values outside taken to the nearest end; u8 comes back as it is. The
/// layout stays. Throws Error when a value is not a number, or for another dtype than u8, f32, bf16, f64.
Array to_bytes(const Array& images);

/// The PNG file, 8 bits a channel, of one image [C, H, W] or [1, C, H, W] with C = 1 (grey) or 3, of any layout; floats
/// go through to_bytes. Equal images give equal bytes. Throws Error when the shape is another.
std::string encode_png(const Array& image);

/// encode_png into a file that appears whole or not at all. Throws Error.
void write_png(const std::filesystem::path& path, const Array& image);

struct ImageGridOptions {
  std::int64_t columns = 8;       ///< images in a row; of image_grid alone
  std::int64_t gap = 2;           ///< pixels between images, before scaling
  std::int64_t scale = 1;         ///< every pixel becomes a square of scale x scale
  std::uint8_t background = 255;  ///< of gaps and of places without an image
};

/// N images [N, C, H, W], C = 1 or 3, bytes or floats in [0, 1], row by row in one image u8 [1, C, h, w],
/// channels-last, where w = scale * (columns * (W + gap) - gap), with fewer columns when N is smaller, and h likewise.
/// Throws Error.
Array image_grid(const Array& images, const ImageGridOptions& options = {});

/// The images of rows[i] side by side in row i: inputs above what models made of them. Every row is [N, C, H, W] of the
/// same C, H and W; shorter rows end in background. Throws Error when there is no row or they differ.
Array image_rows(const std::vector<Array>& rows, const ImageGridOptions& options = {});

}  // namespace tandem
