// Reading BMP files of the kinds that writers make: gaps, short palettes, unused bytes, masks.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <core/temporary_folder.h>
#include <data/image_files.h>
#include <tandem/data/image.h>

using namespace tandem;
using namespace tandem::test;

namespace {

std::string error_of(const std::string& bytes) {
  try {
    decode_image(bytes, "a.png");
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string little16(std::uint32_t v) { return {static_cast<char>(v & 0xff), static_cast<char>(v >> 8 & 0xff)}; }

/// A BMP file of `width` x 1 pixels; its header has `head` bytes, `between` stands before the pixels.
std::string bmp_of(std::uint32_t head, std::uint32_t bits, std::uint32_t compression, std::uint32_t width,
                   const std::string& between, const std::string& pixels, std::uint32_t used = 0) {
  std::string header = little32(head) + little32(width) + little32(1) + little16(1) + little16(bits) +
                       little32(compression) + std::string(12, '\0') + little32(used) + std::string(4, '\0');
  header += between;
  return "BM" + little32(0) + little32(0) + little32(static_cast<std::uint32_t>(14 + header.size())) + header + pixels;
}

std::vector<std::uint8_t> row_of(const std::string& file) {
  return decode_image(file, "a.bmp").permute({0, 2, 3, 1}).to_vector<std::uint8_t>();
}

using Bytes = std::vector<std::uint8_t>;

}  // namespace

TEST_CASE("a BMP file may have gaps between its parts") {
  const std::string pixels("\3\2\1\6\5\4\0\0", 8);
  for (const std::size_t gap : {0, 2, 10, 1024})
    CHECK(row_of(bmp_of(40, 24, 0, 2, std::string(gap, 'x'), pixels)) == Bytes{1, 2, 3, 4, 5, 6});
  std::string palette;
  for (int i = 0; i < 256; ++i) palette += {static_cast<char>(i), static_cast<char>(i / 2), '\7', '\0'};
  for (const std::size_t gap : {0, 64})
    CHECK(row_of(bmp_of(40, 8, 0, 2, palette + std::string(gap, 'x'), std::string("\x04\xff\0\0", 4))) ==
          Bytes{7, 2, 4, 7, 127, 255});
  // Two colours are used, whatever follows them.
  const std::string two = std::string("\1\2\3\0\4\5\6\0", 8) + std::string(40, 'x');
  CHECK(row_of(bmp_of(40, 8, 0, 2, two, std::string("\1\0\0\0", 4), 2)) == Bytes{6, 5, 4, 3, 2, 1});
  CHECK(contains(error_of(bmp_of(40, 8, 0, 2, two, std::string("\2\0\0\0", 4), 2)), "a palette of 2 colours, found 2"));
  CHECK(row_of(bmp_of(40, 4, 0, 3, two, std::string("\x01\x10\0\0", 4), 2)) == Bytes{3, 2, 1, 6, 5, 4, 6, 5, 4});
  CHECK(row_of(bmp_of(40, 1, 0, 3, two, std::string("\xa0\0\0\0", 4), 2)) == Bytes{6, 5, 4, 3, 2, 1, 6, 5, 4});
}

TEST_CASE("the fourth byte of a plain BMP pixel is no alpha") {
  const std::string pixels("\3\2\1\1\6\5\4\x80\x09\x08\x07\xff", 12);
  CHECK(row_of(bmp_of(40, 32, 0, 3, "", pixels)) == Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("BMP fields of 16 and 32 bits, with their masks where each header has them") {
  const std::string five = std::string("\x1f\x00\xe0\x03\x00\x7c\xff\x7f", 8);  // blue, green, red, white of 5-5-5
  const Bytes colours{0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255};
  CHECK(row_of(bmp_of(40, 16, 0, 4, "", five)) == colours);
  const std::string masks = little32(0x7c00) + little32(0x03e0) + little32(0x001f), alpha = little32(0x8000);
  CHECK(row_of(bmp_of(40, 16, 3, 4, masks, five)) == colours);
  CHECK(row_of(bmp_of(56, 16, 3, 4, masks + little32(0), five)) == colours);
  CHECK(row_of(bmp_of(108, 16, 3, 4, masks + little32(0) + std::string(52, '\0'), five)) == colours);
  // Opaque red beside nothing at all, which is white; alpha 0 everywhere is what writers leave out.
  const std::string red = little16(0xfc00) + little16(0x7c00);
  CHECK(row_of(bmp_of(56, 16, 3, 2, masks + alpha, red)) == Bytes{255, 0, 0, 255, 255, 255});
  CHECK(row_of(bmp_of(56, 16, 3, 2, masks + alpha, little16(0x7c00) + little16(0x03e0))) ==
        Bytes{255, 0, 0, 0, 255, 0});
  const std::string wide = little32(0xff0000) + little32(0xff00) + little32(0xff) + little32(0xff000000);
  CHECK(row_of(bmp_of(124, 32, 3, 2, wide + std::string(68, '\0'), little32(0xff010203) + little32(0x80000000))) ==
        Bytes{1, 2, 3, 127, 127, 127});
  const std::string ten = little32(0x3ff00000) + little32(0xffc00) + little32(0x3ff);
  CHECK(row_of(bmp_of(40, 32, 3, 1, ten, little32(0x3ff00000 | 512U << 10 | 3))) == Bytes{255, 128, 0});
  CHECK(contains(error_of(bmp_of(40, 16, 3, 1, little32(5) + little32(2) + little32(8), std::string(4, '\0'))),
                 "expected masks of neighbouring bits, found 00000005"));
  CHECK(contains(error_of(bmp_of(40, 24, 3, 1, masks, std::string(4, '\0'))),
                 "16 or 32 bits a pixel for masks, found 24"));
}
