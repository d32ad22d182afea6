// Image files for tests: the good ones of golden/images, and the parts from which hostile ones are made.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/error.h>
#include <tandem/core/io/file.h>

namespace tandem::test {

inline std::filesystem::path golden_image(const std::string& name) {
  return std::filesystem::path(TANDEM_GOLDEN_DIR) / "images" / name;
}

/// Every file of golden/images that is to be read, without the values beside them.
inline const std::vector<std::string>& golden_images() {
  static const std::vector<std::string> names{
      "rgb.png",    "grey.png",   "palette.png",     "bits1.png", "alpha.png", "grey_alpha.png", "palette_alpha.png",
      "grey16.png", "rgb16.png",  "interlaced.png",  "rgb.bmp",   "grey.bmp",  "palette.bmp",    "bits1.bmp",
      "rgb.jpg",    "halved.jpg", "progressive.jpg", "grey.jpg",  "cmyk.jpg"};
  return names;
}

/// Pixels [1, 3, H, W] of a PPM file of golden/images.
inline Array golden_pixels(const std::string& name) {
  std::istringstream file(read_file(golden_image(name)));
  std::string kind;
  std::int64_t width = 0, height = 0, most = 0;
  file >> kind >> width >> height >> most;
  file.get();
  Array pixels = Array::empty({1, 3, height, width}, DType::u8, Layout::channels_last);
  file.read(reinterpret_cast<char*>(pixels.data<std::uint8_t>()), pixels.size());
  if (kind != "P6" || most != 255 || !file) fail(name, "is not the PPM file that the test expects");
  return pixels;
}

/// The largest difference between two pictures of one shape in bytes.
inline int largest_difference(const Array& a, const Array& b) {
  int largest = 0;
  const auto x = a.to_vector<std::uint8_t>(), y = b.to_vector<std::uint8_t>();
  for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(int{x[i]} - int{y[i]}));
  return largest;
}

inline std::string big32(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
}

inline std::string big16(std::uint32_t v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }

inline std::string little32(std::uint32_t v) {
  return {static_cast<char>(v), static_cast<char>(v >> 8), static_cast<char>(v >> 16), static_cast<char>(v >> 24)};
}

/// A chunk of a PNG file, with a right checksum.
inline std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big32(static_cast<std::uint32_t>(data.size())) + body + big32(static_cast<std::uint32_t>(sum));
}

inline std::string png_header(std::uint32_t width, std::uint32_t height, int bits = 8, int colour = 2) {
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", big32(width) + big32(height) + static_cast<char>(bits) +
                                                     static_cast<char>(colour) + std::string(3, '\0'));
}

inline std::string deflated(const std::string& bytes) {
  uLongf size = ::compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  ::compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
             static_cast<uLong>(bytes.size()));
  return out.substr(0, size);
}

/// `file` with `bytes` written over what stands at `at`.
inline std::string patched(std::string file, std::size_t at, const std::string& bytes) {
  return file.replace(at, bytes.size(), bytes);
}

/// The place behind the first marker of this kind in a JPEG file made by golden/make_images.py.
inline std::size_t after_marker(const std::string& jpeg, int marker) {
  const std::size_t at = jpeg.find(std::string{'\xff', static_cast<char>(marker)});
  if (at == std::string::npos) fail("test", "the file has no such marker");
  return at + 2;
}

}  // namespace tandem::test
