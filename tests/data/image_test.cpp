// Reading image files: values against Pillow, then every hostile file that the documentation promises to refuse.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>

#include <thread>

#include <core/temporary_folder.h>
#include <data/image_files.h>
#include <tandem/data/image.h>
#include <tandem/data/png.h>

using namespace tandem;
using namespace tandem::test;

namespace {

std::string golden_bytes(const std::string& name) { return read_file(golden_image(name)); }

std::string error_of(const std::string& bytes, const ImageLimits& limits = {}) {
  try {
    decode_image(bytes, "a.png", limits);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string end_of_jpeg(const std::string& before) { return before + "\xff\xd9"; }

// A JPEG file that has only a frame header.
std::string frame_of_jpeg(int kind, int bits, std::uint32_t height, std::uint32_t width, int components) {
  std::string frame = big16(static_cast<std::uint32_t>(8 + 3 * components)) + static_cast<char>(bits) + big16(height) +
                      big16(width) + static_cast<char>(components);
  for (int i = 0; i < components; ++i) frame += {static_cast<char>(i + 1), '\x11', '\0'};
  return std::string("\xff\xd8\xff") + static_cast<char>(kind) + frame;
}

}  // namespace

TEST_CASE("PNG and BMP files hold what Pillow reads in them, byte for byte; JPEG files nearly") {
  for (const std::string& name : golden_images()) {
    CAPTURE(name);
    const Array image = read_image(golden_image(name)), expected = golden_pixels(name + ".ppm");
    CHECK(image.dtype() == DType::u8);
    CHECK(image.is_channels_last());
    REQUIRE(image.shape() == Shape{1, 3, 13, 21});
    // another inverse cosine transform, and for CMYK another rounding
    CHECK(largest_difference(image, expected) <= (name.ends_with(".jpg") ? 3 : 0));
  }
}

TEST_CASE("alpha is composed over white") {
  const std::string pixels("\0\x0a\x14\x1e\x00\x0a\x14\x1e\x80\x0a\x14\x1e\xff", 13);  // alpha 0, 128, 255
  const Array image =
      decode_image(png_header(3, 1, 8, 6) + png_chunk("IDAT", deflated(pixels)) + png_chunk("IEND", ""), "a.png");
  CHECK(image.to_layout(Layout::channels_last).permute({0, 2, 3, 1}).to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{255, 255, 255, 132, 137, 142, 10, 20, 30});
}

TEST_CASE("files of other formats are named with their first bytes") {
  CHECK(error_of("hello, I am text") ==
        "a.png: is not a JPEG, PNG or BMP file: expected ff d8 ff, 89 50 4e 47 0d 0a 1a 0a or 42 4d at its beginning, "
        "found 68 65 6c 6c 6f 2c 20 49 (text); convert it to one of them, or take it away");
  CHECK(contains(error_of("GIF89a\x01\x02"), "found 47 49 46 38 39 61 01 02 (a GIF)"));
  CHECK(contains(error_of(std::string("RIFF\1\2\3\4WEBPVP8 ")), "(a WebP)"));
  CHECK(contains(error_of(std::string("II*\0", 4)), "(a TIFF)"));
  CHECK(contains(error_of(std::string("\0\1\2", 3)), "found 00 01 02;"));
  CHECK(
      error_of("") ==
      "a.png: the image file is truncated: expected a JPEG, PNG or BMP file, found the end of the file after 0 bytes; "
      "get it anew");
}

TEST_CASE("a file without its end is refused, wherever it ends") {
  for (const std::string& name : golden_images()) {
    const std::string bytes = golden_bytes(name);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(name);
      CAPTURE(size);
      CHECK_THROWS_AS(decode_image(std::string_view(bytes).substr(0, size), name), Error);
    }
  }
  const std::string jpeg = golden_bytes("rgb.jpg"), png = golden_bytes("rgb.png"), bmp = golden_bytes("rgb.bmp");
  CHECK(contains(error_of(jpeg.substr(0, 800)),
                 "truncated: expected the end of the image (ff d9), found the end of the file after 800 bytes"));
  CHECK(contains(error_of(png.substr(0, png.size() - 12)), "truncated: expected an IEND chunk, found the end"));
  CHECK(contains(error_of(bmp.substr(0, 800)),
                 "truncated: expected pixels of 832 bytes at byte 54, found the end of the file after 800 bytes"));
}

TEST_CASE("folders, missing files and files without permission are named") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(read_image(folder.path()),
                       (folder.path().string() + ": the file cannot be read: it is a folder").c_str(), Error);
  CHECK_THROWS_WITH_AS(
      read_image(folder / "none.png"),
      ((folder / "none.png").string() + ": the file cannot be read: No such file or directory").c_str(), Error);
  write_file(folder / "locked.png", golden_bytes("rgb.png"));
  ::chmod((folder / "locked.png").c_str(), 0);
  if (::access((folder / "locked.png").c_str(), R_OK) != 0) {  // the superuser may read everything
    CHECK_THROWS_WITH_AS(read_image(folder / "locked.png"),
                         ((folder / "locked.png").string() + ": the file cannot be read: Permission denied").c_str(),
                         Error);
  }
}

TEST_CASE("sides of zero") {
  CHECK(error_of(png_header(0, 5)) ==
        "a.png: the image file is damaged: expected at least one pixel, found 0x5 pixels; get it anew");
  CHECK(contains(error_of(frame_of_jpeg(0xc0, 8, 0, 7, 3)), "expected at least one pixel, found 7x0 pixels"));
  CHECK(contains(error_of(patched(golden_bytes("rgb.bmp"), 18, little32(0))), "at least one pixel, found 0x13"));
  CHECK(contains(error_of(patched(golden_bytes("rgb.bmp"), 18, little32(0xffffffff))), "found -1x13 pixels"));
}

TEST_CASE("what is too large is refused by its header") {
  CHECK(error_of(png_header(40000, 40000)) ==
        "a.png: the image is too large: expected at most 67108864 pixels, found 40000x40000; make it smaller, or raise "
        "ImageLimits.pixels");
  CHECK(contains(error_of(frame_of_jpeg(0xc0, 8, 40000, 40000, 3)), "found 40000x40000; make it smaller"));
  const std::string bmp = golden_bytes("rgb.bmp");
  CHECK(contains(error_of(patched(bmp, 18, little32(40000) + little32(40000))), "found 40000x40000; make it smaller"));
  CHECK(contains(error_of(patched(bmp, 22, little32(0x80000000))), "found 21x2147483648"));
  CHECK(contains(error_of(png_header(0xffffffff, 1)), "expected sides below 2^31"));
  CHECK(error_of(golden_bytes("rgb.png"), {.file_bytes = 700}) ==
        "a.png: the image file is too large: expected at most 700 bytes, found 770; make it smaller, or raise "
        "ImageLimits.file_bytes");
  const TemporaryFolder folder;
  write_file(folder / "b.png", golden_bytes("rgb.png"));
  CHECK_THROWS_AS(read_image(folder / "b.png", {.file_bytes = 700}), Error);
}

TEST_CASE("memory is limited: by the limit given, and by what the size can need") {
  CHECK(error_of(golden_bytes("progressive.jpg"), {.memory = 20000}) ==
        "a.png: the image needs too much memory: expected at most 20000 bytes for 21x13 pixels, found more; make it "
        "smaller, raise ImageLimits.memory, or get it anew");
  // one pixel whose data swell to 64 MiB
  const std::string bomb =
      png_header(1, 1) + png_chunk("IDAT", deflated(std::string(std::size_t{1} << 26, '\0'))) + png_chunk("IEND", "");
  CHECK(contains(error_of(bomb), "the image needs too much memory: expected at most"));
}

TEST_CASE("damage in a PNG file shows by its checksums") {
  const std::string png = golden_bytes("rgb.png");
  for (std::size_t at = 8; at < png.size(); ++at) {
    CAPTURE(at);
    CHECK_THROWS_AS(decode_image(patched(png, at, std::string(1, static_cast<char>(png[at] ^ 4))), "a.png"), Error);
  }
  CHECK(contains(error_of(patched(png, 60, "?")), "the image file is damaged: expected checksum "));
}

TEST_CASE("PNG files that no standard allows") {
  const std::string end = png_chunk("IEND", ""), data = png_chunk("IDAT", deflated(std::string("\0\1\2\3", 4)));
  CHECK(contains(error_of(png_header(1, 1) + end), "expected image data (IDAT), found none"));
  CHECK(
      contains(error_of(png_header(1, 1, 3) + data + end), "a colour type and depth of the standard, found type 2, 3"));
  CHECK(contains(error_of(png_header(1, 1, 8, 3) + data + end), "expected a palette before the data, found none"));
  CHECK(contains(error_of(png_header(1, 1) + png_chunk("CgBI", "1234") + data + end),
                 "images of this kind are not read: expected the chunks of the standard, found one that is not"));
  CHECK(contains(error_of("\x89PNG\r\n\x1a\n" + data + end), "expected a header (IHDR) of 13 bytes"));
  CHECK(contains(error_of(png_header(1, 1) + png_chunk("IDAT", "no zlib data") + end), "by the decoder; get it anew"));
  CHECK(contains(error_of(png_header(1, 9) + data + end), "found \"not enough pixels\" by the decoder"));
  // an index without a colour is black
  const std::string palette = png_chunk("PLTE", "abc");
  const Array image = decode_image(
      png_header(2, 1, 8, 3) + palette + png_chunk("IDAT", deflated(std::string("\0\0\7", 3))) + end, "a.png");
  CHECK(image.permute({0, 2, 3, 1}).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{'a', 'b', 'c', 0, 0, 0});
}

TEST_CASE("kinds of JPEG files that are not read, and damage before the coded data") {
  CHECK(error_of(frame_of_jpeg(0xc3, 8, 5, 5, 3)) ==
        "a.png: images of this kind are not read: expected a baseline or progressive JPEG (frame c0, c1 or c2), found "
        "frame c3; convert it, for example to a PNG");
  CHECK(contains(error_of(frame_of_jpeg(0xc9, 8, 5, 5, 3)), "found frame c9"));
  CHECK(contains(error_of(frame_of_jpeg(0xc1, 12, 5, 5, 3)), "expected 8 bits a value, found 12"));
  CHECK(contains(error_of(frame_of_jpeg(0xc0, 8, 5, 5, 2)), "expected 1, 3 or 4 colours, found 2"));
  CHECK(contains(error_of(end_of_jpeg(frame_of_jpeg(0xc0, 8, 5, 5, 3))), "expected a frame and a scan"));
  const std::string jpeg = golden_bytes("rgb.jpg");
  const std::string frame = frame_of_jpeg(0xc0, 8, 5, 5, 3).substr(2);
  CHECK(contains(error_of(patched(jpeg, 2, frame)), "the image file is damaged"));
  CHECK(contains(error_of(jpeg.substr(0, 2) + frame + jpeg.substr(2)), "expected one frame, found two"));
  CHECK(contains(error_of(jpeg.substr(0, 2) + "\xff\xcc" + big16(4) + "ab" + jpeg.substr(2)), "arithmetic coding"));
  CHECK(contains(error_of(jpeg.substr(0, 2) + "\xff\x01" + jpeg.substr(2)), "expected a segment, found marker ff 01"));
  CHECK(contains(error_of(jpeg.substr(0, 2) + "\xff\xe5" + big16(1) + jpeg.substr(2)), "a segment of at least 2"));
  // more codes than there are, for which a decoder has no room
  const std::size_t codes = after_marker(jpeg, 0xc4) + 3;
  CHECK(contains(error_of(patched(jpeg, codes, std::string(16, '\xff'))), "expected Huffman codes that exist"));
  CHECK(contains(error_of(patched(jpeg, codes - 3, big16(20))), "expected Huffman tables that fill their segment"));
  // a scan more than makes sense, and two of them
  const std::size_t scan = after_marker(jpeg, 0xda) - 2;
  std::string many = jpeg.substr(0, jpeg.size() - 2);
  for (int i = 0; i < 100; ++i) many += jpeg.substr(scan, jpeg.size() - 2 - scan);
  CHECK(contains(error_of(end_of_jpeg(many)), "expected at most 100 scans, found more"));
}

TEST_CASE("four colours without Adobe's marker mean nothing certain") {
  const std::string jpeg = golden_bytes("cmyk.jpg");
  const std::size_t adobe = after_marker(jpeg, 0xee);
  CHECK(contains(error_of(patched(jpeg, adobe + 2, "Adobo")),
                 "expected four colours with Adobe's marker, which says what they mean, found none"));
  CHECK(contains(error_of(patched(jpeg, adobe + 13, "\5")), "expected four colours with Adobe's marker"));
}

TEST_CASE("a JPEG file may have a thumbnail, padding and an appendix") {
  const std::string jpeg = golden_bytes("rgb.jpg");
  const std::string thumbnail = "\xff\xe1" + big16(static_cast<std::uint32_t>(jpeg.size() + 2)) + jpeg;
  const Array plain = decode_image(jpeg, "a.jpg");
  CHECK(identical(plain, decode_image(jpeg.substr(0, 2) + thumbnail + "\xff\xff" + jpeg.substr(2) + "end", "a.jpg")));
}

TEST_CASE("BMP files that are not read, and palettes with holes") {
  const std::string bmp = golden_bytes("rgb.bmp"), palette = golden_bytes("palette.bmp");
  CHECK(contains(error_of(patched(bmp, 14, little32(12))), "expected a header of 40, 56, 108 or 124 bytes"));
  CHECK(contains(error_of(patched(bmp, 26, std::string(1, '\2'))), "expected 1 plane, found 2"));
  CHECK(contains(error_of(patched(bmp, 28, std::string(1, '\7'))), "bits a pixel, found 7"));
  CHECK(contains(error_of(patched(palette, 30, little32(1))),
                 "expected pixels without compression, found compression 1"));
  CHECK(contains(error_of(patched(bmp, 10, little32(20))), "expected pixels from byte 54 on, found byte 20"));
  CHECK(contains(error_of(patched(palette, 10, little32(54))), "expected a palette of 1 to 256 colours, found 0"));
  const std::string few =
      patched(palette.substr(0, 54 + 4 * 8) + palette.substr(54 + 4 * 256), 10, little32(54 + 4 * 8));
  CHECK(contains(error_of(few), "expected indices into a palette of 8 colours, found "));
}

TEST_CASE("rows of a BMP file from top to bottom, and 32 bits without alpha") {
  const std::string down = std::string("BM") + little32(0) + little32(0) + little32(54) + little32(40) + little32(1) +
                           little32(static_cast<std::uint32_t>(-2)) + std::string("\1\0\x20\0", 4) +
                           std::string(24, '\0') + std::string("\3\2\1\0\6\5\4\0", 8);
  CHECK(decode_image(down, "a.bmp").permute({0, 2, 3, 1}).to_vector<std::uint8_t>() ==
        std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("threads read at once") {
  const Array jpeg = read_image(golden_image("progressive.jpg")), png = read_image(golden_image("palette.png"));
  std::vector<int> equal(4);
  {
    std::vector<std::jthread> readers;
    for (int& each : equal) {
      readers.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
          each += identical(jpeg, read_image(golden_image("progressive.jpg"))) ? 1 : 0;
          each += identical(png, read_image(golden_image("palette.png"))) ? 1 : 0;
        }
      });
    }
  }
  CHECK(equal == std::vector<int>(4, 40));
}

TEST_CASE("Apple's own PNG is not called damaged") {
  const std::string png = golden_bytes("rgb.png");
  const std::string apple = png.substr(0, 8) + big32(4) + "CgBI" + std::string("\x50\0\x20\2", 4) +
                            std::string("\x2b\xd5\xb3\x7f", 4) + png.substr(8);
  CHECK(contains(error_of(apple), "images of this kind are not read: expected a PNG file of the standard"));
}

TEST_CASE("the memory of decoding does not overflow") {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  CHECK(decoding_memory(kMost, kMost, kMost) == kMost);
  CHECK(decoding_memory(0, 0, 0) == 32 * 32 * 32 + (1 << 20));
}
