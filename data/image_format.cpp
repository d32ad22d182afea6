// Which format a file has, and the errors that all formats share. See image_format.h.
#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/core/error.h>
#include <tandem/data/image_format.h>

namespace tandem {

namespace {

constexpr std::string_view kJpegStart = "\xff\xd8\xff", kPngStart = "\x89PNG\r\n\x1a\n", kBmpStart = "BM";

// What the first bytes of other files that lie in image folders look like.
std::string_view foreign_format(std::string_view bytes) {
  if (bytes.starts_with("GIF8")) return " (a GIF)";
  if (bytes.starts_with("RIFF") && bytes.substr(std::min<std::size_t>(8, bytes.size())).starts_with("WEBP"))
    return " (a WebP)";
  if (bytes.starts_with(std::string_view("II*\0", 4)) || bytes.starts_with(std::string_view("MM\0*", 4)))
    return " (a TIFF)";
  const std::string_view head = bytes.substr(0, 64);
  const bool is_text = std::all_of(
      head.begin(), head.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; });
  return is_text ? " (text)" : "";
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(c));
  return text;
}

}  // namespace

void ImageBytes::require(std::size_t at, std::size_t count, std::string_view what) const {
  if (at <= bytes_.size() && count <= bytes_.size() - at) return;
  truncated(fmt::format("{} of {} bytes at byte {}", what, count, at));
}

std::string_view ImageBytes::text(std::size_t at, std::size_t count) const {
  require(at, count, "a part");
  return bytes_.substr(at, count);
}

std::uint8_t ImageBytes::byte(std::size_t at) const {
  require(at, 1, "a value");
  return static_cast<std::uint8_t>(bytes_[at]);
}

std::uint32_t ImageBytes::big16(std::size_t at) const {
  require(at, 2, "a value");
  return static_cast<std::uint32_t>(byte(at) << 8) | byte(at + 1);
}

std::uint32_t ImageBytes::big32(std::size_t at) const {
  require(at, 4, "a value");
  return big16(at) << 16 | big16(at + 2);
}

std::uint32_t ImageBytes::little16(std::size_t at) const {
  require(at, 2, "a value");
  return static_cast<std::uint32_t>(byte(at + 1) << 8) | byte(at);
}

std::uint32_t ImageBytes::little32(std::size_t at) const {
  require(at, 4, "a value");
  return little16(at + 2) << 16 | little16(at);
}

std::size_t ImageBytes::find_ff(std::size_t at) const { return std::min(bytes_.find('\xff', at), bytes_.size()); }

void ImageBytes::truncated(std::string_view expected) const {
  fail(name_, "the image file is truncated",
       fmt::format("expected {}, found the end of the file after {} bytes", expected, bytes_.size()), "get it anew");
}

void ImageBytes::damaged(std::string_view expected, std::string_view found) const {
  fail(name_, "the image file is damaged", fmt::format("expected {}, found {}", expected, found), "get it anew");
}

void ImageBytes::not_read(std::string_view expected, std::string_view found) const {
  fail(name_, "images of this kind are not read", fmt::format("expected {}, found {}", expected, found),
       "convert it, for example to a PNG");
}

void ImageBytes::check_size(std::int64_t height, std::int64_t width, const ImageLimits& limits) const {
  if (height < 1 || width < 1) damaged("at least one pixel", fmt::format("{}x{} pixels", width, height));
  if (height > limits.pixels / width) {
    fail(name_, "the image is too large",
         fmt::format("expected at most {} pixels, found {}x{}", limits.pixels, width, height),
         "make it smaller, or raise ImageLimits.pixels");
  }
}

ImageHeader check_image(std::string_view bytes, const std::string& name, const ImageLimits& limits) {
  const std::int64_t most = std::min<std::int64_t>(limits.file_bytes, std::numeric_limits<std::int32_t>::max());
  if (static_cast<std::int64_t>(bytes.size()) > most) {
    fail(name, "the image file is too large", fmt::format("expected at most {} bytes, found {}", most, bytes.size()),
         "make it smaller, or raise ImageLimits.file_bytes");
  }
  const ImageBytes file(bytes, name);
  if (bytes.empty()) file.truncated("a JPEG, PNG or BMP file");
  if (bytes.starts_with(kPngStart)) return check_png(file, limits);
  if (bytes.starts_with(kJpegStart)) return check_jpeg(file, limits);
  if (bytes.starts_with(kBmpStart)) return check_bmp(file, limits);
  if (kPngStart.starts_with(bytes) || kJpegStart.starts_with(bytes) || kBmpStart.starts_with(bytes))
    file.truncated("a header");
  fail(name, "is not a JPEG, PNG or BMP file",
       fmt::format("expected ff d8 ff, 89 50 4e 47 0d 0a 1a 0a or 42 4d at its beginning, found {}{}",
                   hexadecimal(bytes.substr(0, 8)), foreign_format(bytes)),
       "convert it to one of them, or take it away");
}

}  // namespace tandem
