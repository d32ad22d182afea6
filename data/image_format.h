// What a file says about the image in it, and the check of its whole structure before anything is decoded. Private to
// data. Everything that the decoder relies on and does not check itself is checked here; image_decoder.h decodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tandem/data/image.h>

namespace tandem {

enum class ImageKind { jpeg, png, bmp };

struct ImageHeader {
  ImageKind kind = ImageKind::jpeg;
  std::int64_t height = 0, width = 0;
  bool has_palette = false;
};

/// The bytes of a file with the name that errors give. Reading beyond the end throws: the file is truncated.
class ImageBytes {
 public:
  ImageBytes(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  std::size_t size() const { return bytes_.size(); }
  std::string_view text(std::size_t at, std::size_t count) const;
  std::uint8_t byte(std::size_t at) const;
  std::uint32_t big16(std::size_t at) const;
  std::uint32_t big32(std::size_t at) const;
  std::uint32_t little16(std::size_t at) const;
  std::uint32_t little32(std::size_t at) const;
  /// Throws unless `count` bytes follow from `at`, which are `what`.
  void require(std::size_t at, std::size_t count, std::string_view what) const;
  /// The place of the next 0xff from `at` on, or size().
  std::size_t find_ff(std::size_t at) const;

  [[noreturn]] void truncated(std::string_view expected) const;
  [[noreturn]] void damaged(std::string_view expected, std::string_view found) const;
  [[noreturn]] void not_read(std::string_view expected, std::string_view found) const;
  /// Throws when a side is 0, or the pixels are more than `limits` allow.
  void check_size(std::int64_t height, std::int64_t width, const ImageLimits& limits) const;

 private:
  std::string_view bytes_;
  const std::string& name_;
};

/// The header of a file whose structure is whole: every part lies in the file, in an order that the format allows, up
/// to the mark of its end. Throws Error otherwise, and where the header goes over a limit.
ImageHeader check_image(std::string_view bytes, const std::string& name, const ImageLimits& limits);

// The formats, after their first bytes have been recognised.
ImageHeader check_jpeg(const ImageBytes& file, const ImageLimits& limits);
ImageHeader check_png(const ImageBytes& file, const ImageLimits& limits);
ImageHeader check_bmp(const ImageBytes& file, const ImageLimits& limits);

/// The pixels of a BMP file that check_bmp has let pass, to out [height, width, 3].
void decode_bmp(const ImageBytes& file, const ImageLimits& limits, std::uint8_t* out);

/// A colour of this opacity over white, rounded.
constexpr std::uint8_t over_white(int colour, int alpha) {
  return static_cast<std::uint8_t>((alpha * colour + (255 - alpha) * 255 + 127) / 255);
}

/// The same PNG file with its palette filled up to 256 colours with black, so that every index has a colour.
std::string with_full_palette(std::string_view png);

}  // namespace tandem
